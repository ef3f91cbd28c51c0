// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"fmt"
	"math"
	"time"
)

// Backoff is how long a sender waits before it makes a failed call again: it
// doubles from Initial to Maximum, and up to half of each wait is cut off at
// random, so that senders which failed together do not come back together.
type Backoff struct {
	// Initial is the wait after the first failure; 0: 100 ms.
	Initial time.Duration
	// Maximum is the longest wait; 0: 10 s, or Initial if that is longer.
	Maximum time.Duration
}

func (b Backoff) complete() (Backoff, error) {
	if b.Initial == 0 {
		b.Initial = 100 * time.Millisecond
	}
	if b.Maximum == 0 {
		b.Maximum = 10 * time.Second
		if b.Maximum < b.Initial {
			b.Maximum = b.Initial
		}
	}
	if b.Initial < 0 || b.Maximum < b.Initial {
		return Backoff{}, fmt.Errorf("bandit: Backoff: %v to %v, expected 0 <= Initial <= Maximum",
			b.Initial, b.Maximum)
	}
	return b, nil
}

// wait is that after `failures` in a row, at least 1; `random` is in [0, 1).
func (b Backoff) wait(failures int, random float64) time.Duration {
	// As floats, which do not overflow.
	longest := float64(b.Initial) * math.Pow(2, float64(failures-1))
	longest = math.Min(longest, float64(b.Maximum))
	return time.Duration(longest * (0.5 + 0.5*random))
}
