// SPDX-License-Identifier: Apache-2.0

package bandit

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Options of a Client: the zero value is a good one.
type Options struct {
	Keys   Keys
	Sender SenderOptions
}

// Client is one connection to a router, for requests and for rewards. It is a
// grpc.ClientConnInterface: make stubs of it.
//
// All methods may be called at any time, by any goroutine.
type Client struct {
	conn    *grpc.ClientConn
	rewards *Sender
}

var _ grpc.ClientConnInterface = (*Client)(nil)

// NewClient makes one for the `listen` of a router; it connects when needed.
// Of the dial options, those for credentials must be given, as to
// grpc.NewClient. It fails for a target, a key or an option that is none.
func NewClient(target string, options Options, dial ...grpc.DialOption) (*Client, error) {
	// Interceptors and sender need each other's connection.
	interceptors, err := NewInterceptors(options.Keys, nil)
	if err != nil {
		return nil, err
	}
	all := append([]grpc.DialOption{
		// A proxy of the environment is for the web, not for the pod next door.
		grpc.WithNoProxy(),
		// gRPC by itself waits up to two minutes before it connects again.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2,
				MaxDelay: 2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
	}, dial...)
	conn, err := grpc.NewClient(target, append(all, interceptors.DialOptions()...)...)
	if err != nil {
		return nil, err
	}
	interceptors.rewards, err = NewSender(conn, options.Sender)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Client{conn: conn, rewards: interceptors.rewards}, nil
}

// Invoke is for stubs.
func (c *Client) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	return c.conn.Invoke(ctx, method, args, reply, options...)
}

// NewStream is for stubs.
func (c *Client) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.conn.NewStream(ctx, desc, method, options...)
}

// Conn is the connection, with its interceptors.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// Rewards is where the rewards of its decisions go.
func (c *Client) Rewards() *Sender { return c.rewards }

// Close closes the sender, see Sender.Close, then the connection. Calls that
// are under way then fail.
func (c *Client) Close(ctx context.Context) error {
	err := c.rewards.Close(ctx)
	if closing := c.conn.Close(); err == nil {
		err = closing
	}
	return err
}
