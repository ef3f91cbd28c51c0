// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Purpose keeps hashes of one unit for different ends independent.
type Purpose uint8

// What a unit is hashed for.
const (
	ForArm     Purpose = 1
	ForRamp    Purpose = 2
	ForLayer   Purpose = 3
	ForHoldout Purpose = 4
)

// HashUnit is the hash that the router has of a unit: with ForArm and an
// experiment's salt (by default its name) it is the Unit of that experiment's
// tokens. Frozen; docs/hashing.md says how it is made.
func HashUnit(purpose Purpose, salt, unit string) uint64 {
	// On the stack for units and salts of usual length.
	bytes := make([]byte, 0, 128)
	bytes = append(bytes, byte(purpose))
	bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(salt)))
	bytes = append(bytes, salt...)
	bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(unit)))
	bytes = append(bytes, unit...)
	return xxh3.Hash(bytes)
}

// Place is where a unit lies in [0, 1): in a ramp, a layer or a holdout. A
// stage or holdout with a share takes the units with a Place below it.
func Place(purpose Purpose, salt, unit string) float64 {
	return float64(HashUnit(purpose, salt, unit)>>11) / (1 << 53)
}

// ExperimentID is what tokens carry instead of the experiment's name.
func ExperimentID(name string) uint32 {
	return uint32(xxh3.HashString(name))
}
