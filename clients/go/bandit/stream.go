// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// caughtStream tells the decision when the response's header has come, which
// it has with the first message or at the end.
type caughtStream struct {
	grpc.ClientStream
	catch *catcher
	once  sync.Once
}

func (s *caughtStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	// Without a header the end is still to come, and the trailer with it.
	if err == nil && len(header) > 0 {
		s.once.Do(func() { s.catch.response(header, nil) })
	}
	return header, err
}

func (s *caughtStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	s.once.Do(func() {
		// It does not wait: a message or the end came after it.
		header, headerErr := s.ClientStream.Header()
		if headerErr != nil {
			header = nil
		}
		var trailer metadata.MD
		if err != nil {
			trailer = s.Trailer()
		}
		s.catch.response(header, trailer)
	})
	return err
}
