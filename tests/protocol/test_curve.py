"""Encryption (JEP 145): with keys in the connection file nobody hears or says anything without them."""
import json
import os
import subprocess
import time

import pytest
import zmq

BUILD = os.environ.get("CARRACK_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
LONG = 30000


def connection(tmp_path, **extra):
    ctx = zmq.Context.instance()
    ports = []
    held = []
    for _ in range(5):
        s = ctx.socket(zmq.ROUTER)
        ports.append(s.bind_to_random_port("tcp://127.0.0.1"))
        held.append(s)
    for s in held:
        s.close(0)
    names = ["shell", "control", "stdin", "iopub", "hb"]
    info = {f"{n}_port": p for n, p in zip(names, ports)}
    info.update(transport="tcp", ip="127.0.0.1", key="", signature_scheme="hmac-sha256", **extra)
    path = tmp_path / "connection.json"
    path.write_text(json.dumps(info))
    return info, path


def start(path, tmp_path):
    env = dict(os.environ, XDG_DATA_HOME=str(tmp_path), CARRACK_SESSION=os.path.join(BUILD, "examples", "echo-session"))
    return subprocess.Popen([os.path.join(BUILD, "carrack"), "kernel", str(path)], env=env, stderr=subprocess.PIPE)


def ask(info, keys, timeout):
    """kernel_info over shell; None if nothing came back in time."""
    s = zmq.Context.instance().socket(zmq.DEALER)
    s.linger = 0
    if keys:
        s.curve_serverkey = s.curve_publickey = keys[0]
        s.curve_secretkey = keys[1]
    s.connect(f"tcp://127.0.0.1:{info['shell_port']}")
    header = {"msg_id": os.urandom(8).hex(), "msg_type": "kernel_info_request", "session": "s", "username": "u",
              "date": "2026-01-01T00:00:00Z", "version": "5.3"}
    s.send_multipart([b"<IDS|MSG>", b"", json.dumps(header).encode(), b"{}", b"{}", b"{}"])
    try:
        return json.loads(s.recv_multipart()[-1]) if s.poll(timeout) else None
    finally:
        s.close(0)


def test_with_keys_only_clients_with_keys_are_heard(tmp_path):
    public, secret = zmq.curve_keypair()
    info, path = connection(tmp_path, curve_publickey=public.decode(), curve_secretkey=secret.decode())
    p = start(path, tmp_path)
    try:
        assert ask(info, (public, secret), LONG)["status"] == "ok"
        assert ask(info, None, 1000) is None
        assert ask(info, zmq.curve_keypair(), 1000) is None
        plain = zmq.Context.instance().socket(zmq.SUB)
        plain.subscribe(b"")
        plain.connect(f"tcp://127.0.0.1:{info['iopub_port']}")
        time.sleep(0.2)
        assert ask(info, (public, secret), LONG)["status"] == "ok"
        assert not plain.poll(1000)
        plain.close(0)
    finally:
        p.terminate()
        _, err = p.communicate(timeout=30)
    assert secret not in err and public not in err


@pytest.mark.parametrize("half", ["curve_publickey", "curve_secretkey"])
def test_half_a_pair_is_refused(tmp_path, half):
    _, path = connection(tmp_path, **{half: zmq.curve_keypair()[0].decode()})
    p = start(path, tmp_path)
    _, err = p.communicate(timeout=30)
    assert p.returncode != 0
    assert b"curve_" in err and b"must be" in err
