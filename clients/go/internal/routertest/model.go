// SPDX-License-Identifier: Apache-2.0

package routertest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"bandit-router.example/go/internal/inference"
)

// Model serves the Open Inference Protocol, and answers with its name.
type Model struct {
	inference.UnimplementedGRPCInferenceServiceServer
	// Address is where it listens.
	Address string

	name string
	mu   sync.Mutex
	// Guarded by mu.
	requests []metadata.MD
}

// Serve runs a model server until the test's end.
func Serve(t *testing.T, name string) *Model {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Address: listener.Addr().String(), name: name}
	server := grpc.NewServer()
	inference.RegisterGRPCInferenceServiceServer(server, m)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return m
}

// Requests are the metadata of the calls so far.
func (m *Model) Requests() []metadata.MD {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]metadata.MD(nil), m.requests...)
}

func (m *Model) note(ctx context.Context) {
	md, _ := metadata.FromIncomingContext(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, md)
}

// ModelInfer fails for the model `broken`.
func (m *Model) ModelInfer(ctx context.Context, request *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	m.note(ctx)
	return m.answer(request)
}

func (m *Model) answer(request *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	if request.ModelName == "broken" {
		return nil, status.Error(codes.FailedPrecondition, "the model is broken")
	}
	return &inference.ModelInferResponse{ModelName: m.name, Id: request.Id}, nil
}

// ModelStreamInfer answers each request as ModelInfer does.
func (m *Model) ModelStreamInfer(stream inference.GRPCInferenceService_ModelStreamInferServer) error {
	m.note(stream.Context())
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := m.answer(request)
		if err != nil {
			return err
		}
		err = stream.Send(&inference.ModelStreamInferResponse{InferResponse: answer})
		if err != nil {
			return err
		}
	}
}
