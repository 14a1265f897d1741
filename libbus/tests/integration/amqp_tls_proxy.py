"""TLS in front of a plain server, for tests: accepts on a free port, which it prints, and forwards what it decrypts."""
import argparse
import socket
import ssl
import threading


def forward(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(raw, context, server):
    try:
        client = context.wrap_socket(raw, server_side=True)
    except (ssl.SSLError, OSError):
        return
    with client, socket.create_connection(server) as plain:
        back = threading.Thread(target=forward, args=(plain, client), daemon=True)
        back.start()
        forward(client, plain)
        back.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--server", required=True, help="host:port")
    parser.add_argument("--client-ca", help="who must have signed the certificate that clients must have")
    parser.add_argument("--old", action="store_true", help="TLS 1.1 at most")
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if options.old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(options.cert, options.key)
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    host, port = options.server.rsplit(":", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=serve, args=(raw, context, (host, int(port))), daemon=True).start()


if __name__ == "__main__":
    main()
