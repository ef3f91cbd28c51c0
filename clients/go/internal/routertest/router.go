// SPDX-License-Identifier: Apache-2.0

// Package routertest runs the real router and model servers, for tests.
package routertest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is for the router's start and its end.
const patience = 60 * time.Second

// Router is a process of the program that BANDIT_ROUTER names.
type Router struct {
	// Listen, Control and Admin are its addresses.
	Listen, Control, Admin string

	process *exec.Cmd
	ended   chan struct{}
	log     *lockedBuffer
}

// Start runs a router until the test's end. The config has no addresses: the
// ports are free ones of the loopback. Without BANDIT_ROUTER the test is
// skipped.
func Start(t *testing.T, config string) *Router {
	t.Helper()
	binary := os.Getenv("BANDIT_ROUTER")
	if binary == "" {
		t.Skip("BANDIT_ROUTER does not name a bandit-router")
	}
	file := filepath.Join(t.TempDir(), "router.yaml")
	config = "listen: 127.0.0.1:0\ncontrol: 127.0.0.1:0\nadmin: 127.0.0.1:0\n" + config
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Router{
		process: exec.Command(binary, "--config", file), ended: make(chan struct{}),
		log: &lockedBuffer{},
	}
	r.process.Stderr = r.log
	out, err := r.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.end(t, os.Interrupt)
		// Of the sanitized builds.
		if strings.Contains(r.log.String(), "Sanitizer") {
			t.Error("the router has an error of its own")
		}
		if t.Failed() {
			t.Logf("the router's log:\n%s", r.log.String())
		}
	})
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		ready <- line
		io.Copy(io.Discard, lines)
		r.process.Wait()
		close(r.ended)
	}()
	select {
	case line := <-ready:
		r.read(t, line)
	case <-time.After(patience):
		t.Fatalf("the router is not ready after %v:\n%s", patience, r.log.String())
	}
	return r
}

// read takes the addresses from the line that says that it is ready.
func (r *Router) read(t *testing.T, line string) {
	t.Helper()
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "listen":
			r.Listen = value
		case "control":
			r.Control = value
		case "admin":
			r.Admin = value
		}
	}
	if r.Listen == "" || r.Control == "" || r.Admin == "" {
		t.Fatalf("the router did not start: %q\n%s", line, r.log.String())
	}
}

// Kill ends it as a crash does.
func (r *Router) Kill(t *testing.T) {
	t.Helper()
	r.end(t, os.Kill)
}

func (r *Router) end(t *testing.T, how os.Signal) {
	t.Helper()
	r.process.Process.Signal(how)
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.process.Process.Kill()
		t.Errorf("the router does not end:\n%s", r.log.String())
	}
}

// Metric is the sample of /metrics whose line begins with `series`, as
// `name{label="value"`; 0 if there is none.
func (r *Router) Metric(t *testing.T, series string) float64 {
	t.Helper()
	response, err := http.Get("http://" + r.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(body), "\n") {
		if strings.HasPrefix(line, series) {
			var value float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return value
		}
	}
	return 0
}

// lockedBuffer is written by the process while the test reads it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
