// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Token is what a decision token says. It is read without the router's key, so
// it is no proof: a forged token reads as well as a genuine one, and only the
// router tells them apart.
type Token struct {
	// Experiment is the ExperimentID of its name.
	Experiment uint32
	// Epoch counts the times that the experiment has begun anew.
	Epoch uint32
	// Arm is the index of the arm in the config, 0 to 63.
	Arm int
	// Propensity is the probability that the arm had, in (0, 1].
	Propensity float64
	// Time of the decision, to the millisecond, in UTC.
	Time time.Time
	// ID is random, and the decision's own.
	ID uint64
	// Unit is the hash of the unit, see HashUnit; the ID if OwnUnit.
	Unit uint64
	// OwnUnit: the request came without a unit and is its own.
	OwnUnit bool
	// Segments numbers the values of the experiment's `segments`; 0 if there
	// are none or all are other ones than the config names.
	Segments uint32
	// Covariate is the value of the experiment's `covariate`, or 0.
	Covariate float32
	// Features is the vector that the policy saw; empty without a `context`.
	Features []float32
}

// The sizes of docs/token.md, in bytes.
const (
	tokenVersion     = 1
	tagSize          = 16
	maxTokenFeatures = 1024
	// Version, experiment, epoch, arm, propensity, time, id, unit, notes,
	// count, codes, features, tag.
	maxTokenBytes = 1 + 4 + 5 + 1 + 8 + 6 + 8 + 8 + 9 + 2 +
		maxTokenFeatures/4 + 4*maxTokenFeatures + tagSize
	maxTokenLetters = (maxTokenBytes*8 + 5) / 6

	ownUnitBit = 0x80
	notesBit   = 0x40
)

var errMalformed = errors.New("a field is out of range or not spelled as a router does")

// ParseToken reads the token of an `x-bandit-decision`. It fails for what no
// router has written.
func ParseToken(text string) (Token, error) {
	token, err := parseToken(text)
	if err != nil {
		return Token{}, fmt.Errorf("bandit: this is no decision token: %w", err)
	}
	return token, nil
}

func parseToken(text string) (Token, error) {
	if len(text) > maxTokenLetters {
		return Token{}, fmt.Errorf("%d letters, expected at most %d", len(text), maxTokenLetters)
	}
	// The decoder passes over the ends of lines.
	for _, letter := range []byte(text) {
		if letter == '\n' || letter == '\r' {
			return Token{}, errors.New("it has a line's end")
		}
	}
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Token{}, errors.New("it is not base64url without padding")
	}
	if len(bytes) <= tagSize {
		return Token{}, fmt.Errorf("%d bytes are too few", len(bytes))
	}
	if bytes[0] != tokenVersion {
		return Token{}, fmt.Errorf("it is of version %d, expected %d", bytes[0], tokenVersion)
	}
	r := tokenReader{rest: bytes[1 : len(bytes)-tagSize]}
	token := r.token()
	if r.failed || !spelledRight(token, r.hadNotes) {
		return Token{}, errMalformed
	}
	return token, nil
}

// spelledRight tells whether a router would have written these values so.
func spelledRight(t Token, hadNotes bool) bool {
	notes := t.Segments != 0 || math.Float32bits(t.Covariate) != 0
	return hadNotes == notes && finite(t.Covariate) &&
		t.Propensity > 0 && t.Propensity <= 1 &&
		t.OwnUnit == (t.Unit == t.ID)
}

func finite(f float32) bool {
	return !math.IsInf(float64(f), 0) && !math.IsNaN(float64(f))
}

// tokenReader takes little-endian fields off its front. What is not there, or
// is spelled otherwise than a router does, turns failed true for good.
type tokenReader struct {
	rest     []byte
	hadNotes bool
	failed   bool
}

func (r *tokenReader) token() Token {
	var t Token
	t.Experiment = uint32(r.fixed(4))
	t.Epoch = r.varint()
	arm := r.fixed(1)
	t.OwnUnit = arm&ownUnitBit != 0
	r.hadNotes = arm&notesBit != 0
	t.Arm = int(arm &^ (ownUnitBit | notesBit))
	t.Propensity = math.Float64frombits(r.fixed(8))
	t.Time = time.UnixMilli(int64(r.fixed(6))).UTC()
	t.ID = r.fixed(8)
	t.Unit = t.ID
	if !t.OwnUnit {
		t.Unit = r.fixed(8)
	}
	if r.hadNotes {
		t.Segments = r.varint()
		t.Covariate = math.Float32frombits(uint32(r.fixed(4)))
	}
	t.Features = r.features()
	r.failed = r.failed || len(r.rest) != 0
	return t
}

// fixed reads a number of `size` bytes, at most 8.
func (r *tokenReader) fixed(size int) uint64 {
	if len(r.rest) < size {
		return r.fail()
	}
	var bytes [8]byte
	copy(bytes[:], r.rest[:size])
	r.rest = r.rest[size:]
	return binary.LittleEndian.Uint64(bytes[:])
}

// varint reads 32 bits, seven a byte, in no more bytes than needed.
func (r *tokenReader) varint() uint32 {
	var value uint64
	for i := 0; i < 5; i++ {
		b := r.fixed(1)
		value |= (b & 0x7f) << (7 * i)
		if b >= 0x80 {
			continue
		}
		if (i > 0 && b == 0) || value > math.MaxUint32 {
			break
		}
		return uint32(value)
	}
	return uint32(r.fail())
}

func (r *tokenReader) features() []float32 {
	count := int(r.varint())
	codeBytes := (count + 3) / 4
	if count > maxTokenFeatures || codeBytes > len(r.rest) {
		r.fail()
		return nil
	}
	codes := r.rest[:codeBytes]
	r.rest = r.rest[codeBytes:]
	features := make([]float32, count)
	for i := 0; i < 4*codeBytes; i++ {
		code := codes[i/4] >> (2 * (i % 4)) & 3
		switch {
		case code == 0:
		case i >= count || code == 3:
			r.fail()
		case code == 1:
			features[i] = 1
		default:
			features[i] = math.Float32frombits(uint32(r.fixed(4)))
			bits := math.Float32bits(features[i])
			// 0 and 1 have codes; -0 has not, and is not 0 here.
			if bits == 0 || features[i] == 1 || !finite(features[i]) {
				r.fail()
			}
		}
	}
	return features
}

func (r *tokenReader) fail() uint64 {
	r.failed = true
	r.rest = nil
	return 0
}
