// SPDX-License-Identifier: Apache-2.0

// Models serves two versions of a model, for the example beside it. They rank
// nothing: an answer says which version gave it.
package main

import (
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"

	"bandit-router.example/go/internal/examplemodel"
	"bandit-router.example/go/internal/inference"
)

func main() {
	v1 := flag.String("v1", "127.0.0.1:8001", "where version 1 listens")
	v2 := flag.String("v2", "127.0.0.1:8002", "where version 2 listens")
	flag.Parse()
	ended := make(chan error)
	for version, address := range map[string]string{"1": *v1, "2": *v2} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			log.Fatal(err)
		}
		server := grpc.NewServer()
		inference.RegisterGRPCInferenceServiceServer(server, examplemodel.Version(version))
		log.Printf("version %s at %s", version, listener.Addr())
		go func() { ended <- server.Serve(listener) }()
	}
	log.Fatal(<-ended)
}
