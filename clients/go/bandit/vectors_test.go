// SPDX-License-Identifier: Apache-2.0

package bandit_test

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"bandit-router.example/go/bandit"
)

// vectors are tests/vectors/client.json, which the router's own code makes.
type vectors struct {
	HashUnit []struct {
		Purpose    bandit.Purpose
		Salt, Unit string
		Hash       string
	} `json:"hash_unit"`
	Place []struct {
		Purpose    bandit.Purpose
		Salt, Unit string
		Place      float64
	}
	ExperimentID []struct {
		Name string
		ID   uint32
	} `json:"experiment_id"`
	Token     []tokenVector
	Forged    []tokenVector                 `json:"forged_token"`
	Malformed []struct{ Why, Token string } `json:"malformed_token"`
}

type tokenVector struct {
	Token    string
	Decision struct {
		Experiment, Epoch uint32
		Arm               int
		Propensity        float64
		TimeMs            int64 `json:"time_ms"`
		ID, Unit          string
		OwnUnit           bool `json:"own_unit"`
		Segments          uint32
		Covariate         float64
		Features          []float64
	}
}

func readVectors(t *testing.T) vectors {
	path := os.Getenv("BANDIT_VECTORS")
	if path == "" {
		path = "../../../tests/vectors/client.json"
		if _, err := os.Stat(path); os.IsNotExist(err) {
			t.Skip("the vectors are in the router's repository; BANDIT_VECTORS names them elsewhere")
		}
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(bytes, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestHashesAreTheRouters(t *testing.T) {
	v := readVectors(t)
	if len(v.HashUnit) < 100 || len(v.Place) == 0 || len(v.ExperimentID) == 0 {
		t.Fatal("the vectors are not as their README says")
	}
	for _, c := range v.HashUnit {
		if got := bandit.HashUnit(c.Purpose, c.Salt, c.Unit); got != number(t, c.Hash) {
			t.Errorf("HashUnit(%d, %q, %q) = %d, the router's is %s", c.Purpose, c.Salt, c.Unit, got, c.Hash)
		}
	}
	for _, c := range v.Place {
		if got := bandit.Place(c.Purpose, c.Salt, c.Unit); got != c.Place {
			t.Errorf("Place(%d, %q, %q) = %v, the router's is %v", c.Purpose, c.Salt, c.Unit, got, c.Place)
		}
	}
	for _, c := range v.ExperimentID {
		if got := bandit.ExperimentID(c.Name); got != c.ID {
			t.Errorf("ExperimentID(%q) = %d, the router's is %d", c.Name, got, c.ID)
		}
	}
}

// Without the key a forged token reads as any other.
func TestTokensReadAsTheyWereWritten(t *testing.T) {
	v := readVectors(t)
	if len(v.Token) < 20 || len(v.Forged) == 0 {
		t.Fatal("the vectors are not as their README says")
	}
	for _, c := range append(v.Token, v.Forged...) {
		got, err := bandit.ParseToken(c.Token)
		if err != nil {
			t.Errorf("%s: %v", c.Token, err)
			continue
		}
		d := c.Decision
		want := bandit.Token{
			Experiment: d.Experiment, Epoch: d.Epoch, Arm: d.Arm,
			Propensity: d.Propensity, Time: time.UnixMilli(d.TimeMs).UTC(),
			ID: number(t, d.ID), Unit: number(t, d.Unit), OwnUnit: d.OwnUnit,
			Segments: d.Segments, Covariate: float32(d.Covariate),
		}
		for _, feature := range d.Features {
			want.Features = append(want.Features, float32(feature))
		}
		if !sameToken(got, want) {
			t.Errorf("%s reads as\n%+v, the router wrote\n%+v", c.Token, got, want)
		}
	}
}

// sameToken compares floats by their bits: -0 is not 0.
func sameToken(a, b bandit.Token) bool {
	if len(a.Features) != len(b.Features) {
		return false
	}
	for i := range a.Features {
		if math.Float32bits(a.Features[i]) != math.Float32bits(b.Features[i]) {
			return false
		}
	}
	return a.Experiment == b.Experiment && a.Epoch == b.Epoch && a.Arm == b.Arm &&
		a.Propensity == b.Propensity && a.Time.Equal(b.Time) && a.ID == b.ID &&
		a.Unit == b.Unit && a.OwnUnit == b.OwnUnit && a.Segments == b.Segments &&
		math.Float32bits(a.Covariate) == math.Float32bits(b.Covariate)
}

func TestMalformedTokensAreRefused(t *testing.T) {
	v := readVectors(t)
	if len(v.Malformed) < 20 {
		t.Fatal("the vectors are not as their README says")
	}
	for _, c := range v.Malformed {
		if got, err := bandit.ParseToken(c.Token); err == nil {
			t.Errorf("%s: %.80q was read as %+v", c.Why, c.Token, got)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("Ab5kQLABgM3MzMzMzOw_e2jlz4sBAQAAAAAAAAAA0697HV1yXIS9k26L-9bL7w")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := bandit.ParseToken(text)
		if err == nil && !(token.Propensity > 0 && token.Propensity <= 1) {
			t.Errorf("%q was read as %+v", text, token)
		}
	})
}
