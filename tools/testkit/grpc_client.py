"""A gRPC client of OrderService by Debian's grpcio: messages are made from the protos as protoc-c reads them."""
import os
import subprocess
import tempfile
import uuid

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from dev.grpc_tools import SERVICE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTOS = os.path.join(ROOT, "edge", "proto")
FILES = ("orderbus/v1/order_service.proto", "grpc/health/v1/health.proto", "google/rpc/status.proto")


def _pool():
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "set")
        subprocess.run(["protoc-c", "--proto_path=" + PROTOS, "--proto_path=/usr/include", "--include_imports",
                        "--descriptor_set_out=" + made, "--c_out=" + folder, *FILES], check=True)
        with open(made, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


class Messages:
    """The classes of messages by their full names."""

    def __init__(self):
        self.pool = _pool()
        self._factory = message_factory.MessageFactory(self.pool)

    def of(self, name):
        return self._factory.GetPrototype(self.pool.FindMessageTypeByName(name))

    def details(self, error):
        """The details of an RpcError by the last words of their types."""
        trailers = {key: value for key, value in error.trailing_metadata() or ()}
        status = self.of("google.rpc.Status").FromString(trailers.get("grpc-status-details-bin", b""))
        found = {}
        for detail in status.details:
            name = detail.type_url.split("/")[-1]
            found[name.split(".")[-1]] = json_format.MessageToDict(self.of(name).FromString(detail.value),
                                                                   preserving_proto_field_name=True)
        return found


class Client:
    """Calls by names of methods, with requests and answers as dicts."""

    def __init__(self, port, messages, token=None, credentials=None):
        address = f"localhost:{port}" if credentials else f"127.0.0.1:{port}"
        self.channel = grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address)
        self.messages = messages
        self.token = token

    def __enter__(self):
        return self

    def __exit__(self, *causes):
        self.channel.close()

    def method(self, name, service=SERVICE):
        """→ a function of a request's dict."""
        found = self.messages.pool.FindServiceByName(service).methods_by_name[name]
        streams = descriptor_pb2.MethodDescriptorProto()
        found.CopyToProto(streams)
        kind = self.channel.unary_stream if streams.server_streaming else self.channel.unary_unary
        answer = self.messages.of(found.output_type.full_name)
        call = kind(f"/{service}/{name}", request_serializer=lambda made: made.SerializeToString(),
                    response_deserializer=answer.FromString)
        request = self.messages.of(found.input_type.full_name)

        def run(fields=None, timeout=30, metadata=()):
            made = json_format.ParseDict(fields or {}, request())
            own = (("authorization", "Bearer " + self.token),) if self.token else ()
            answered = call(made, timeout=timeout, metadata=(*own, *metadata))
            return map(as_dict, answered) if streams.server_streaming else as_dict(answered)
        return run

    def place(self, *items, key=None, **fields):
        return self.method("PlaceOrder")({"idempotency_key": key or str(uuid.uuid4()), "items": list(items)} | fields)


def as_dict(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
