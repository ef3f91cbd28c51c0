// SPDX-License-Identifier: Apache-2.0

// Package examplemodel is the model of the example.
package examplemodel

import (
	"context"

	"bandit-router.example/go/internal/inference"
)

type model struct {
	inference.UnimplementedGRPCInferenceServiceServer
	version string
}

// Version is a model that answers with its version.
func Version(version string) inference.GRPCInferenceServiceServer {
	return &model{version: version}
}

func (m *model) ModelInfer(_ context.Context, request *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	return &inference.ModelInferResponse{
		ModelName: request.ModelName, ModelVersion: m.version, Id: request.Id,
	}, nil
}
