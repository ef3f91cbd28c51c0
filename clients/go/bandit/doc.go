// Package bandit is draft.
package bandit
