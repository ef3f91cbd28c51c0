// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"fmt"
	"sync"
	"time"
)

// maxBatchBytes is below what a router takes in one request, 4 MiB.
const maxBatchBytes = 1 << 20

// queue holds what waits between the callers and the sender's goroutine. First
// in, first out: the batch under way is its front, and stays there until it is
// settled, so that nothing is lost or overtaken when a call fails.
//
// All methods may be called at any time; those of the sender, one after the
// other. Time is an argument.
type queue struct {
	capacity int
	maxBatch int
	linger   time.Duration
	// Has something for the sender to look at.
	wake chan struct{}
	// Something for a sender that waits between two tries.
	hurry chan struct{}

	mu sync.Mutex
	// All below is guarded by mu.
	entries  []entry
	underWay int // The first of entries.
	limit    int // Of the next batch.
	stats    Stats
	flushed  uint64 // The first of those ever submitted that must not linger.
	waiters  []*waiter
	closed   bool
}

type entry struct {
	reward Reward
	since  time.Time
	// Was in a call that failed, and may have been counted.
	tried bool
}

// waiter wants the first `until` of those ever submitted settled.
type waiter struct {
	until uint64
	done  chan struct{}
	// Of those, the ones that were abandoned; to be read when done.
	lost []Reward
}

func newQueue(capacity, maxBatch int, linger time.Duration) *queue {
	return &queue{
		capacity: capacity, maxBatch: maxBatch, limit: maxBatch, linger: linger,
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
	}
}

// --- of the callers

// put takes all of them or none.
func (q *queue) put(rewards []Reward, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		q.stats.Closed += uint64(len(rewards))
		return ErrClosed
	}
	if len(q.entries)+len(rewards) > q.capacity {
		q.stats.Full += uint64(len(rewards))
		return fmt.Errorf("%w: %d wait, of at most %d", ErrFull, len(q.entries), q.capacity)
	}
	waiting := len(q.entries) - q.underWay
	for _, r := range rewards {
		q.entries = append(q.entries, entry{reward: r, since: now})
	}
	q.stats.Submitted += uint64(len(rewards))
	// The sender looks when there is something, and when a batch is full;
	// between the two it lingers.
	if waiting == 0 || waiting < q.limit && waiting+len(rewards) >= q.limit {
		poke(q.wake)
	}
	return nil
}

func (q *queue) count(change func(*Stats)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	change(&q.stats)
}

func (q *queue) snapshot() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Pending = uint64(len(q.entries))
	return s
}

// flush ends the lingering of all that was put so far. The waiter is done when
// it is settled.
func (q *queue) flush() *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &waiter{until: q.stats.Submitted, done: make(chan struct{})}
	if q.settled() >= w.until {
		close(w.done)
		return w
	}
	q.waiters = append(q.waiters, w)
	q.flushed = w.until
	poke(q.wake)
	poke(q.hurry)
	return w
}

// leave takes the waiter away, and gives what it waited for in vain.
func (q *queue) leave(w *waiter) []Reward {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.waiters {
		if q.waiters[i] == w {
			q.waiters = append(q.waiters[:i], q.waiters[i+1:]...)
			break
		}
	}
	if settled := q.settled(); settled < w.until {
		return rewardsOf(q.entries[:w.until-settled])
	}
	return nil
}

// close takes no more, and lets the sender end when nothing is left. False if
// it was closed before.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	q.flushed = q.stats.Submitted
	poke(q.wake)
	poke(q.hurry)
	return true
}

// abandon empties it, what is under way included.
func (q *queue) abandon() []Reward {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := rewardsOf(q.entries)
	q.stats.Undelivered += uint64(len(left))
	for _, w := range q.waiters {
		w.lost = left[:w.until-q.settled()]
	}
	q.entries, q.underWay = nil, 0
	q.release()
	poke(q.wake)
	return left
}

// --- of the sender

// next is a batch to be sent. Without one, `wait` is how long until there may
// be (below 0: until wake), and `over` that there will be none.
func (q *queue) next(now time.Time) (batch []entry, wait time.Duration, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 {
		return nil, -1, q.closed
	}
	due := q.entries[0].since.Add(q.linger)
	if len(q.entries) < q.limit && q.settled() >= q.flushed && now.Before(due) {
		return nil, due.Sub(now), false
	}
	size := 0
	for q.underWay < len(q.entries) && q.underWay < q.limit {
		size += q.entries[q.underWay].reward.size()
		if size > maxBatchBytes && q.underWay > 0 {
			break
		}
		q.underWay++
	}
	// Not a copy: nobody writes to these but the sender's own calls.
	return q.entries[:q.underWay:q.underWay], 0, false
}

// settle takes the batch under way out. False if it was abandoned meanwhile.
func (q *queue) settle(outcomes []Outcome) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.underWay == 0 {
		return false
	}
	for _, outcome := range outcomes {
		q.stats.countOutcome(outcome)
	}
	q.stats.Requests++
	for i := range q.entries[:q.underWay] {
		q.entries[i] = entry{} // The array lives on.
	}
	q.entries = q.entries[q.underWay:]
	q.underWay = 0
	if q.limit *= 2; q.limit > q.maxBatch {
		q.limit = q.maxBatch
	}
	q.release()
	return true
}

// giveBack leaves the batch in front, for another try. `smaller`: it was too
// much at once.
func (q *queue) giveBack(smaller bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Failures++
	for i := range q.entries[:q.underWay] {
		q.entries[i].tried = true
	}
	q.underWay = 0
	if smaller && q.limit > 1 {
		q.limit /= 2
	}
}

// awaited tells whether somebody flushes or closes.
func (q *queue) awaited() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || len(q.waiters) > 0
}

// --- with mu held

func (q *queue) settled() uint64 {
	return q.stats.Submitted - uint64(len(q.entries))
}

func (q *queue) release() {
	kept := q.waiters[:0]
	for _, w := range q.waiters {
		if q.settled() >= w.until {
			close(w.done)
		} else {
			kept = append(kept, w)
		}
	}
	q.waiters = kept
}

func rewardsOf(entries []entry) []Reward {
	rewards := make([]Reward, len(entries))
	for i := range entries {
		rewards[i] = entries[i].reward
	}
	return rewards
}

// poke leaves one note in a channel that holds one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
