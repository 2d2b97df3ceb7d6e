import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from loopwright.localmesh.ports import free_ports
from loopwright.localmesh.probes import answering, serving
from loopwright.rpc import RpcSettings
from loopwright.rpc import serving as served


async def test_a_server_serves_while_its_health_says_so() -> None:
    async with served([], RpcSettings(grace_s=0)) as server:
        assert await serving(server.target)
        await server.set_ready(False)
        assert not await serving(server.target)
    assert not await serving(f"127.0.0.1:{free_ports(1)[0]}")


async def test_a_page_answers_with_200_or_not_at_all() -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 503)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert await answering(f"{base}/metrics")
        assert not await answering(f"{base}/other")
        server.shutdown()
    assert not await answering(f"{base}/metrics")
