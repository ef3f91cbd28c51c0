// SPDX-License-Identifier: Apache-2.0

package bandit_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"google.golang.org/grpc/metadata"

	"bandit-router.example/go/bandit"
)

// tokenOf is a token of an experiment as a router would write it, but for the
// tag.
func tokenOf(experiment string, id uint64) string {
	b := []byte{1}
	b = binary.LittleEndian.AppendUint32(b, bandit.ExperimentID(experiment))
	b = append(b, 1, 0x80) // Epoch, arm 0 of a request that is its own unit.
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(0.5))
	b = append(b, 0, 0, 0, 0, 0, 1)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = append(b, 0)
	return base64.RawURLEncoding.EncodeToString(append(b, make([]byte, 16)...))
}

func TestADecisionIsReadFromMetadata(t *testing.T) {
	if got := bandit.DecisionsOf(metadata.Pairs("x-other", "value")); got != nil {
		t.Fatal("of a response without an experiment:", got)
	}
	got := bandit.DecisionsOf(metadata.Pairs(
		"x-bandit-decision", "token", "x-bandit-arm", "control", "x-bandit-experiment", "ranker"))
	if len(got) != 1 || got[0] != (bandit.Decision{Experiment: "ranker", Arm: "control", Token: "token"}) {
		t.Fatalf("%+v", got)
	}
	if !got[0].Counted() {
		t.Fatal("it has a token")
	}
}

// Metadata keep the order within a key, not between keys.
func TestOverlaysKeepTheirOwnTokens(t *testing.T) {
	prompt, size := tokenOf("prompt", 1), tokenOf("size", 2)
	got := bandit.DecisionsOf(metadata.MD{
		"x-bandit-experiment": {"model", "prompt", "layout", "size"},
		"x-bandit-arm":        {"old", "short", "wide", "small"},
		"x-bandit-decision":   {prompt, size},
		"x-bandit-uncounted":  {"holdout", "draft"},
	})
	want := []bandit.Decision{
		{Experiment: "model", Arm: "old", Uncounted: "holdout"},
		{Experiment: "prompt", Arm: "short", Token: prompt},
		{Experiment: "layout", Arm: "wide", Uncounted: "draft"},
		{Experiment: "size", Arm: "small", Token: size},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, expected %+v", got[i], want[i])
		}
	}
}

func TestARewardNeedsADecisionAndASender(t *testing.T) {
	if err := (bandit.Decision{}).Reward(1); !errors.Is(err, bandit.ErrNoDecision) {
		t.Error("of no call:", err)
	}
	read := bandit.DecisionsOf(metadata.Pairs("x-bandit-experiment", "ranker", "x-bandit-decision", "token"))
	if err := read[0].Reward(1); !errors.Is(err, bandit.ErrNoSender) {
		t.Error("of a decision that was read from metadata:", err)
	}
}
