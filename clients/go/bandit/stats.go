// SPDX-License-Identifier: Apache-2.0

package bandit

// Stats count rewards since the sender was made. At any time
//
//	Submitted = Pending + Accepted + Duplicate + Late + Unknown + Rejected +
//	            OtherOutcome + Undelivered
type Stats struct {
	// Submitted were taken into the queue.
	Submitted uint64
	// Pending are in the queue or under way now.
	Pending uint64

	// By the router's answer. Duplicate has also those that were counted, but
	// whose first answer was lost on its way.
	Accepted, Duplicate, Late, Unknown, Rejected uint64
	// OtherOutcome: an answer that this client does not know.
	OtherOutcome uint64
	// Undelivered were given up by Close, whose error has them.
	Undelivered uint64

	// Not taken: the queue was full, the sender closed, the reward not one.
	Full, Closed, Invalid uint64
	// Not taken: there was nothing to reward. Uncounted is as it should be.
	Uncounted, NoDecision uint64

	// Requests are the calls of the router that were answered; Failures are
	// those that were not, whose rewards are sent again.
	Requests, Failures uint64
}

func (s *Stats) countOutcome(outcome Outcome) {
	switch outcome {
	case Accepted:
		s.Accepted++
	case Duplicate:
		s.Duplicate++
	case Late:
		s.Late++
	case Unknown:
		s.Unknown++
	case Rejected:
		s.Rejected++
	default:
		s.OtherOutcome++
	}
}
