// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Interceptors add what With says to calls, and catch their decisions. Make the
// connection to the router with them:
//
//	grpc.NewClient(listen, append(interceptors.DialOptions(), ...)...)
//
// A Client has them built in.
type Interceptors struct {
	keys    Keys
	rewards *Sender
}

// NewInterceptors makes them; the rewards of the decisions that they catch go
// to `rewards`, which may be nil. It fails if a key is none.
func NewInterceptors(keys Keys, rewards *Sender) (*Interceptors, error) {
	keys, err := keys.complete()
	if err != nil {
		return nil, err
	}
	return &Interceptors{keys: keys, rewards: rewards}, nil
}

// DialOptions are for grpc.NewClient. Interceptors of options before these see
// calls first: behind one that retries, each try has a decision.
func (i *Interceptors) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(i.Unary),
		grpc.WithChainStreamInterceptor(i.Stream),
	}
}

// Unary is a grpc.UnaryClientInterceptor.
func (i *Interceptors) Unary(ctx context.Context, method string, request, reply any,
	conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if ofRouter(method) {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	ctx, catch, err := i.begin(ctx, options)
	if err != nil {
		return err
	}
	var header, trailer metadata.MD
	// Not into the caller's array.
	options = append(options[:len(options):len(options)], grpc.Header(&header), grpc.Trailer(&trailer))
	err = invoke(ctx, method, request, reply, conn, options...)
	catch.response(header, trailer)
	return err
}

// Stream is a grpc.StreamClientInterceptor.
func (i *Interceptors) Stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn,
	method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	if ofRouter(method) {
		return open(ctx, desc, conn, method, options...)
	}
	ctx, catch, err := i.begin(ctx, options)
	if err != nil {
		return nil, err
	}
	stream, err := open(ctx, desc, conn, method, options...)
	if err != nil {
		catch.response(nil, nil)
		return nil, err
	}
	return &caughtStream{ClientStream: stream, catch: catch}, nil
}

// ofRouter: its own services are in no experiment.
func ofRouter(method string) bool {
	return strings.HasPrefix(method, "/bandit.v1.")
}

// begin gives the context to call with. It fails with a status if that cannot
// be sent.
func (i *Interceptors) begin(ctx context.Context, options []grpc.CallOption) (context.Context, *catcher, error) {
	c := &catcher{rewards: i.rewards, watcher: watcherOf(ctx)}
	for _, option := range options {
		if o, ok := option.(catchOption); ok {
			c.options = append(c.options, o)
		}
	}
	given, _ := metadata.FromOutgoingContext(ctx)
	for _, a := range attrsOf(ctx) {
		key, err := a.key(i.keys)
		if err != nil {
			return nil, nil, status.Errorf(codes.InvalidArgument, "bandit: %v", err)
		}
		// What the caller has set by hand is more than what we would.
		if a.text == "" && a.wrong == "" || len(given.Get(key)) > 0 {
			continue
		}
		if a.wrong != "" {
			return nil, nil, status.Errorf(codes.InvalidArgument, "bandit: %s: %s", a.describe(), a.wrong)
		}
		if a.kind == requestIDAttr {
			c.requestID = a.text
		}
		ctx = metadata.AppendToOutgoingContext(ctx, key, a.text)
	}
	if i.keys.RequestID != "" && c.requestID == "" {
		if ids := given.Get(i.keys.RequestID); len(ids) > 0 {
			c.requestID = ids[0]
		}
	}
	return ctx, c, nil
}

// catcher takes the decisions of one call to those who want them.
type catcher struct {
	rewards   *Sender
	options   []catchOption
	watcher   *Watcher
	requestID string
}

// response is given the metadata of the response; its last call counts.
func (c *catcher) response(header, trailer metadata.MD) {
	decisions := DecisionsOf(header)
	if decisions == nil {
		// A response without messages has but a trailer.
		decisions = DecisionsOf(trailer)
	}
	known := decisions != nil || c.requestID != ""
	if decisions == nil {
		decisions = []Decision{{}}
	}
	for i := range decisions {
		decisions[i].rewards = c.rewards
	}
	// A request id names the decision that chose the backend.
	decisions[0].RequestID = c.requestID
	for _, o := range c.options {
		o.catch(append([]Decision(nil), decisions...))
	}
	if known {
		c.watcher.add(decisions)
	}
}
