# SPDX-License-Identifier: Apache-2.0
"""Made by protoc 3.21 from protos/bandit/v1/feedback.proto, and committed.

That generation runs under every protobuf since 3.20.2, the newest included; a
test compares it with what protoc makes now.
"""
