// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"bandit-router.example/go/internal/examplemodel"
	"bandit-router.example/go/internal/inference"
	"bandit-router.example/go/internal/routertest"
)

// The example as its README has it, but on ports that are free.
func TestTheSplitLearnsFromClicks(t *testing.T) {
	text, err := os.ReadFile("../router.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile(`(?m)^(listen|control|admin): .*\n`).ReplaceAllString(string(text), "")
	for version, address := range map[string]string{"1": "127.0.0.1:8001", "2": "127.0.0.1:8002"} {
		if !strings.Contains(config, address) {
			t.Fatalf("%s is not in the config", address)
		}
		config = strings.Replace(config, address, serveVersion(t, version), 1)
	}
	router := routertest.Start(t, config)
	var out strings.Builder
	if err := run(router.Listen, 800, rand.New(rand.NewSource(1)), &out); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 6 || lines[4] != "800 rewards: 800 counted, 0 refused" {
		t.Fatal("it ends otherwise")
	}
	// Six clicks against three in ten: after 600 rewards the better arm has
	// nearly all that the floor leaves.
	var control, candidate int
	if _, err := fmt.Sscanf(lines[3], "800 requests: control %d, candidate %d", &control, &candidate); err != nil {
		t.Fatal(err)
	}
	if candidate <= control {
		t.Fatalf("the last quarter was split %d to %d", control, candidate)
	}
}

func serveVersion(t *testing.T, version string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	inference.RegisterGRPCInferenceServiceServer(server, examplemodel.Version(version))
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}
