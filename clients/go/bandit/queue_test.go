// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var start = time.Unix(1_700_000_000, 0)

const linger = 50 * time.Millisecond

func rewards(from, to int) []Reward {
	var list []Reward
	for i := from; i < to; i++ {
		list = append(list, Reward{Decision: fmt.Sprint("token ", i), Value: 1})
	}
	return list
}

func mustPut(t *testing.T, q *queue, list []Reward, now time.Time) {
	t.Helper()
	if err := q.put(list, now); err != nil {
		t.Fatal(err)
	}
}

func tokens(entries []entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimPrefix(e.reward.Decision, "token "))
	}
	return strings.Join(names, " ")
}

func accepted(n int) []Outcome {
	outcomes := make([]Outcome, n)
	for i := range outcomes {
		outcomes[i] = Accepted
	}
	return outcomes
}

func isDone(w *waiter) bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func TestABatchWaitsForOthersUntilItIsFullOrLingeredLong(t *testing.T) {
	q := newQueue(100, 3, linger)
	if batch, wait, over := q.next(start); batch != nil || wait >= 0 || over {
		t.Fatal("an empty queue gives", batch, wait, over)
	}
	mustPut(t, q, rewards(0, 2), start)
	if batch, wait, _ := q.next(start.Add(linger / 2)); batch != nil || wait != linger/2 {
		t.Fatal("a batch that lingers gives", batch, wait)
	}
	mustPut(t, q, rewards(2, 4), start)
	if batch, _, _ := q.next(start); tokens(batch) != "0 1 2" {
		t.Fatal("a full batch is", tokens(batch))
	}
	if !q.settle(accepted(3)) {
		t.Fatal("not settled")
	}
	if batch, _, _ := q.next(start.Add(linger)); tokens(batch) != "3" {
		t.Fatal("after its time the rest is", tokens(batch))
	}
}

func TestAFailedBatchComesAgainInOrder(t *testing.T) {
	q := newQueue(100, 3, 0)
	mustPut(t, q, rewards(0, 5), start)
	q.next(start)
	q.giveBack(false)
	mustPut(t, q, rewards(5, 6), start)
	batch, _, _ := q.next(start)
	if tokens(batch) != "0 1 2" || !batch[0].tried || !batch[2].tried {
		t.Fatalf("it comes again as %+v", batch)
	}
	q.settle(accepted(3))
	if batch, _, _ := q.next(start); tokens(batch) != "3 4 5" || batch[0].tried {
		t.Fatalf("then come %+v", batch)
	}
	if s := q.snapshot(); s.Failures != 1 || s.Requests != 1 {
		t.Fatalf("%+v", s)
	}
}

func TestBatchesShrinkWhileTheyAreTooMuch(t *testing.T) {
	q := newQueue(100, 8, 0)
	mustPut(t, q, rewards(0, 40), start)
	sizes := []int{}
	for _, tooMuch := range []bool{true, true, true, true, false, false, false, false} {
		batch, _, _ := q.next(start)
		sizes = append(sizes, len(batch))
		if tooMuch {
			q.giveBack(true)
		} else {
			q.settle(accepted(len(batch)))
		}
	}
	if got := fmt.Sprint(sizes); got != "[8 4 2 1 1 2 4 8]" {
		t.Fatal("the sizes are", got)
	}
}

func TestABatchStaysBelowWhatACallCarries(t *testing.T) {
	q := newQueue(1000, 1000, 0)
	for i := 0; i < 200; i++ {
		mustPut(t, q, []Reward{{Decision: strings.Repeat("x", 10_000)}}, start)
	}
	for sent := 0; sent < 200; {
		batch, _, _ := q.next(start)
		if len(batch) == 0 || len(batch) > maxBatchBytes/10_000 {
			t.Fatal(len(batch), "of 10,000 bytes in a batch")
		}
		sent += len(batch)
		q.settle(accepted(len(batch)))
	}
}

func TestAFullQueueTakesNoneAndForgetsNone(t *testing.T) {
	q := newQueue(5, 2, 0)
	mustPut(t, q, rewards(0, 4), start)
	// What is under way has not gone yet.
	q.next(start)
	if err := q.put(rewards(4, 6), start); !errors.Is(err, ErrFull) {
		t.Fatal("two more into a place for one:", err)
	}
	mustPut(t, q, rewards(4, 5), start)
	q.settle(accepted(2))
	mustPut(t, q, rewards(5, 7), start)
	want := Stats{Submitted: 7, Pending: 5, Accepted: 2, Full: 2, Requests: 1}
	if got := q.snapshot(); got != want {
		t.Fatalf("%+v, expected %+v", got, want)
	}
}

func TestAFlushWaitsForWhatWasBeforeIt(t *testing.T) {
	q := newQueue(100, 2, time.Hour)
	if w := q.flush(); !isDone(w) {
		t.Fatal("an empty queue has nothing to wait for")
	}
	mustPut(t, q, rewards(0, 3), start)
	w := q.flush()
	mustPut(t, q, rewards(3, 4), start)
	q.next(start)
	q.settle(accepted(2))
	if isDone(w) {
		t.Fatal("one of its rewards is left")
	}
	// It does not linger: one of its rewards is in it.
	if batch, _, _ := q.next(start); tokens(batch) != "2 3" {
		t.Fatal("the rest is", tokens(batch))
	}
	q.settle(accepted(2))
	if !isDone(w) || len(q.leave(w)) != 0 {
		t.Fatal("all of its rewards are settled")
	}
	mustPut(t, q, rewards(4, 5), start)
	if batch, _, _ := q.next(start); batch != nil {
		t.Fatal("what came after it lingers, and is not", tokens(batch))
	}
}

func TestAFlushThatLeavesGetsWhatItWaitedFor(t *testing.T) {
	q := newQueue(100, 2, 0)
	mustPut(t, q, rewards(0, 3), start)
	q.next(start)
	w := q.flush()
	mustPut(t, q, rewards(3, 4), start)
	left := q.leave(w)
	if len(left) != 3 || left[0].Decision != "token 0" {
		t.Fatal("left are", left)
	}
	if s := q.snapshot(); s.Pending != 4 {
		t.Fatalf("they are tried on: %+v", s)
	}
}

func TestACloseLeavesNothingBehind(t *testing.T) {
	q := newQueue(100, 2, time.Hour)
	mustPut(t, q, rewards(0, 3), start)
	if !q.close() || q.close() {
		t.Fatal("the first close is the first")
	}
	if err := q.put(rewards(3, 5), start); !errors.Is(err, ErrClosed) {
		t.Fatal("put after close:", err)
	}
	batch, _, over := q.next(start)
	if tokens(batch) != "0 1" || over {
		t.Fatal("what was taken before goes out, and not", tokens(batch))
	}
	w := q.flush()
	left := q.abandon()
	if len(left) != 3 {
		t.Fatal("given up are", left)
	}
	if !isDone(w) || len(w.lost) != 3 {
		t.Fatal("who flushes learns what is lost, and not", w.lost)
	}
	if q.settle(accepted(2)) {
		t.Fatal("an answer after the end is counted nowhere")
	}
	if _, _, over := q.next(start); !over {
		t.Fatal("it is over")
	}
	want := Stats{Submitted: 3, Undelivered: 3, Closed: 2}
	if got := q.snapshot(); got != want {
		t.Fatalf("%+v, expected %+v", got, want)
	}
}

func TestWaitsDoubleAndAreCutAtRandom(t *testing.T) {
	b, err := Backoff{Initial: 100 * time.Millisecond, Maximum: time.Second}.complete()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		failures int
		random   float64
		want     time.Duration
	}{
		{1, 0, 50 * time.Millisecond}, {1, 0.5, 75 * time.Millisecond},
		{2, 0, 100 * time.Millisecond}, {4, 0, 400 * time.Millisecond},
		{5, 0, 500 * time.Millisecond}, {5, 0.998, 999 * time.Millisecond},
		{100_000, 0, 500 * time.Millisecond},
	} {
		if got := b.wait(c.failures, c.random); got != c.want {
			t.Errorf("after %d failures with %v: %v, expected %v", c.failures, c.random, got, c.want)
		}
	}
	for _, b := range []Backoff{{Initial: -1}, {Initial: time.Second, Maximum: time.Millisecond}} {
		if _, err := b.complete(); err == nil {
			t.Errorf("%+v was taken", b)
		}
	}
}

func TestALogLineOfAKindComesOnceAMinuteWithItsCount(t *testing.T) {
	now, lines := start, []string{}
	logged := newThrottle(
		func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) },
		func() time.Time { return now })
	logged.say("full", 2, "rewards: %s", "why")
	logged.say("full", 3, "rewards: %s", "why")
	logged.say("other", 1, "calls")
	now = now.Add(throttleTime)
	logged.say("full", 1, "rewards: %s", "why")
	want := "bandit: 2 rewards: why|bandit: 1 calls|bandit: 4 rewards: why"
	if got := strings.Join(lines, "|"); got != want {
		t.Fatalf("%s, expected %s", got, want)
	}
}
