// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"fmt"
	"sync"
	"time"
)

const throttleTime = time.Minute

// throttle logs the first of a kind, then at most one line a minute, with how
// many there were. All calls may overlap.
type throttle struct {
	logf func(format string, args ...any)
	now  func() time.Time

	mu sync.Mutex
	// Guarded by mu.
	kinds map[string]*throttled
}

type throttled struct {
	last   time.Time
	unsaid int
}

func newThrottle(logf func(string, ...any), now func() time.Time) *throttle {
	return &throttle{logf: logf, now: now, kinds: make(map[string]*throttled)}
}

// say logs that `count` things happened, of which `text` says what.
func (t *throttle) say(kind string, count int, text string, args ...any) {
	if count = t.due(kind, count); count > 0 {
		t.logf("bandit: %d %s", count, fmt.Sprintf(text, args...))
	}
}

func (t *throttle) due(kind string, count int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, known := t.kinds[kind]
	if !known {
		k = &throttled{}
		t.kinds[kind] = k
	}
	k.unsaid += count
	now := t.now()
	if known && now.Sub(k.last) < throttleTime {
		return 0
	}
	count, k.unsaid, k.last = k.unsaid, 0, now
	return count
}
