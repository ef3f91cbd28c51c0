// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"fmt"
	"strings"
)

// DefaultUnitKey is where a unit travels unless Keys says otherwise.
const DefaultUnitKey = "x-bandit-unit"

// Keys are the metadata keys that the router's config names. The zero value
// is: units under DefaultUnitKey, features under FeatureKey of their names, no
// request ids.
type Keys struct {
	// Unit is the `unit.metadata` of the experiments.
	Unit string
	// RequestID is `join.metadata`, where the config has a `join`.
	RequestID string
	// Feature is the `metadata` of a feature, by the name that the program has
	// for it; nil is FeatureKey.
	Feature func(name string) string
}

// FeatureKey is `x-prompt-tokens` for `prompt_tokens`, and `x-device` for
// `x-device`.
func FeatureKey(name string) string {
	key := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if strings.HasPrefix(key, "x-") {
		return key
	}
	return "x-" + key
}

// complete fills in the defaults. It fails for what is no metadata key.
func (k Keys) complete() (Keys, error) {
	if k.Unit == "" {
		k.Unit = DefaultUnitKey
	}
	if k.Feature == nil {
		k.Feature = FeatureKey
	}
	if err := checkKey(k.Unit); err != nil {
		return Keys{}, fmt.Errorf("bandit: Keys.Unit: %w", err)
	}
	if k.RequestID == "" {
		return k, nil
	}
	if err := checkKey(k.RequestID); err != nil {
		return Keys{}, fmt.Errorf("bandit: Keys.RequestID: %w", err)
	}
	return k, nil
}

func checkKey(key string) error {
	for _, letter := range []byte(key) {
		if !isKeyLetter(letter) {
			return badKey(key)
		}
	}
	if key == "" || strings.HasPrefix(key, "grpc-") || strings.HasSuffix(key, "-bin") {
		return badKey(key)
	}
	return nil
}

func badKey(key string) error {
	return fmt.Errorf("%q is no metadata key for text: lower case letters, digits and "+
		"-_. are, without grpc- before or -bin behind", key)
}

func isKeyLetter(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.'
}
