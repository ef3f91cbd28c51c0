// SPDX-License-Identifier: Apache-2.0
// A proxy on gRPC C++'s generic callback interfaces: what the router would
// cost if its data plane were gRPC C++.
//
// Prints `ready port=N`. Message bytes are passed on unparsed, metadata and
// trailers are copied; any method, unary or streaming.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace {

std::string String(grpc::string_ref text) { return {text.data(), text.size()}; }

// One proxied call. The server side is the object itself, the client side its
// member; each step of the one starts the next of the other.
// Ownership: deletes itself when the server side is done, which is after the
// client side.
class Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(grpc::GenericCallbackServerContext* server, grpc::GenericStub* stub)
      : server_(server), backend_(this) {
    for (const auto& [key, value] : server->client_metadata()) {
      context_.AddMetadata(String(key), String(value));
    }
    context_.set_deadline(server->deadline());
    stub->PrepareBidiStreamingCall(&context_, server->method(), {}, &backend_);
    // Each direction is driven from both sides, so each holds the client side
    // until it has ended.
    backend_.AddMultipleHolds(2);
    backend_.StartCall();
    StartRead(&request_);
  }

 private:
  class Backend final
      : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Backend(Call* call) : call_(call) {}
    void OnReadInitialMetadataDone(bool ok) override {
      if (!ok) return RemoveHold();
      for (const auto& [key, value] :
           call_->context_.GetServerInitialMetadata()) {
        call_->server_->AddInitialMetadata(String(key), String(value));
      }
      StartRead(&call_->response_);
    }
    void OnReadDone(bool ok) override {
      if (!ok) return RemoveHold();
      call_->StartWrite(&call_->response_);
    }
    void OnWriteDone(bool ok) override {
      if (ok) call_->StartRead(&call_->request_);
    }
    void OnDone(const grpc::Status& status) override {
      for (const auto& [key, value] :
           call_->context_.GetServerTrailingMetadata()) {
        call_->server_->AddTrailingMetadata(String(key), String(value));
      }
      call_->Finish(status);
    }

   private:
    Call* call_;
  };

  void OnReadDone(bool ok) override {
    if (ok) return backend_.StartWrite(&request_);
    backend_.StartWritesDone();
    backend_.RemoveHold();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return backend_.RemoveHold();
    backend_.StartRead(&response_);
  }
  void OnCancel() override { context_.TryCancel(); }
  void OnDone() override { delete this; }

  grpc::GenericCallbackServerContext* server_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  Backend backend_;
};

class Proxy final : public grpc::CallbackGenericService {
 public:
  explicit Proxy(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(channel) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Call(context, &stub_);
  }

  grpc::GenericStub stub_;
};

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  uint16_t backend_port = 0;
  CLI::App app("gRPC C++ generic callback proxy");
  app.add_option("--port", port, "0: any");
  app.add_option("--backend", backend_port, "Port on 127.0.0.1")->required();
  CLI11_PARSE(app, argc, argv);

  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  Proxy proxy(grpc::CreateCustomChannel(
      "ipv4:127.0.0.1:" + std::to_string(backend_port),
      grpc::InsecureChannelCredentials(), arguments));
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(&proxy);
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port),
                           grpc::InsecureServerCredentials(), &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("ready port=%d\n", port);
  std::fflush(stdout);
  server->Wait();
  return 0;
}
