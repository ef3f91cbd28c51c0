// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"bandit-router.example/go/banditv1"
)

// What Submit and the rewards of a Decision fail with.
var (
	// ErrFull: the queue has no room, nothing was taken.
	ErrFull = errors.New("bandit: the queue of rewards is full")
	// ErrClosed: the sender was closed, nothing was taken.
	ErrClosed = errors.New("bandit: the sender is closed")
	// ErrInvalid: no router would take the reward.
	ErrInvalid = errors.New("bandit: not a reward")
	// ErrNoDecision: there is nothing to reward.
	ErrNoDecision = errors.New("bandit: no decision: no experiment took the call (see its " +
		"`match`), or the call did not go through a router and these interceptors")
	// ErrNoSender: the decision was not caught by Interceptors with a Sender.
	ErrNoSender = errors.New("bandit: the decision knows no sender: give NewInterceptors one, " +
		"or use Sender.Submit")
)

// Reward is a value for a decision.
type Reward struct {
	// Decision is its token.
	Decision string
	// RequestID names the decision instead, where the router's config has a
	// `join`.
	RequestID string
	// Metric is one that the experiment declares; empty: its reward metric.
	Metric string
	// Value is finite, and 0 or 1 for a binary metric.
	Value float64
}

// maxRewardBytes is far above what a router takes, and far below what a call
// can carry: one reward must not spoil its batch.
const maxRewardBytes = 16 << 10

func (r Reward) check() error {
	switch {
	case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
		return fmt.Errorf("%w: %s = %v is not finite", ErrInvalid, r.name(), r.Value)
	case r.Decision == "" && r.RequestID == "":
		return fmt.Errorf("%w: %s = %v has neither a decision's token nor a request id",
			ErrInvalid, r.name(), r.Value)
	case r.size() > maxRewardBytes:
		return fmt.Errorf("%w: %s = %v has %d bytes, expected at most %d", ErrInvalid, r.name(),
			r.Value, r.size(), maxRewardBytes)
	case !utf8.ValidString(r.Decision + r.RequestID + r.Metric):
		// Protobuf would refuse the whole batch.
		return fmt.Errorf("%w: %q, %q or %q is not UTF-8", ErrInvalid, r.Metric, r.Decision,
			r.RequestID)
	}
	return nil
}

func (r Reward) name() string {
	if r.Metric == "" {
		return "the reward"
	}
	return fmt.Sprintf("%.40q", r.Metric)
}

// size is about the bytes that it takes in a request.
func (r Reward) size() int {
	return len(r.Decision) + len(r.RequestID) + len(r.Metric) + 24
}

func (r Reward) proto() *banditv1.Reward {
	return &banditv1.Reward{
		Decision: r.Decision, RequestId: r.RequestID, Metric: r.Metric, Value: r.Value,
	}
}

// Outcome is the router's answer to a reward.
type Outcome = banditv1.Outcome

// The outcomes; those of a newer router may be others.
const (
	// Accepted: counted, and durable.
	Accepted = banditv1.Outcome_ACCEPTED
	// Duplicate: one for this decision and metric was counted before.
	Duplicate = banditv1.Outcome_DUPLICATE
	// Late: the metric's attribution window of the decision has passed.
	Late = banditv1.Outcome_LATE
	// Unknown: the decision's experiment or epoch is not configured there, or
	// no decision is known by the request id.
	Unknown = banditv1.Outcome_UNKNOWN
	// Rejected: a forged or damaged token, an undeclared metric, a value out of
	// the metric's range, a request id where there is no `join`.
	Rejected = banditv1.Outcome_REJECTED
)

// usualWhy is what a refusal comes of, where the router does not say.
func usualWhy(o Outcome) string {
	switch o {
	case Duplicate:
		return "one for the same decision and metric was counted before"
	case Late:
		return "it came after the metric's attribution window: widen `metrics.window`, or send " +
			"it sooner"
	case Unknown:
		return "its experiment or epoch is not configured there, or no decision is known by its " +
			"request id (`join`)"
	case Rejected:
		return "its token is damaged or of another `token_key`, the experiment does not declare " +
			"its metric, the value is out of its range (`metrics`), or there is no `join` for a " +
			"request id"
	default:
		return "the router is newer than this client, which does not know the outcome"
	}
}
