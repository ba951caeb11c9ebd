"""The database goes away, comes back, is the wrong one [8.2.3c]."""
import json
import os
import pwd
import subprocess
import threading
import time

from fixture import CHANNEL, LIMIT_S, PERSON, SAME_PERSON, STRANGER, HttpTest
from rig import bank
from rig.cluster import Cluster


class Database(HttpTest):
    def ask(self, daemon, client=None):
        return (client or self.connect(daemon)).verify("nobody", self.portrait(STRANGER), channel=CHANNEL)

    def test_down_and_back(self):
        with Cluster({"fsync": "off"}, prefix="pg_visage_http2.") as cluster:
            key = bank.install(cluster)
            bank.make_channel(cluster, CHANNEL)
            daemon = self.start("moody", source_key=key, database=cluster.conninfo(bank.ROLE))
            client = self.connect(daemon)
            self.assertEqual(200, self.ask(daemon, client).status)
            cluster.stop("fast")
            reply = self.ask(daemon, client)
            self.assert_problem(reply, 503, "DATABASE_UNAVAILABLE")
            self.assertTrue(reply.headers["Retry-After"])
            report = daemon.wait_ready(wanted=503)
            self.assertFalse(report["database"]["ready"])
            self.assertEqual(200, daemon.get_admin("/live")[0])
            cluster.start()
            daemon.wait_ready()
            # Probes sealed before the server remembers uses are refused; this one is new.
            self.assertEqual((200, "UNKNOWN_SUBJECT"), (self.ask(daemon, client).status, self.ask(daemon, client).code))

    def test_terminated_backends_are_replaced(self):
        self.assert_serving()
        killed = self.cluster.value(
            f"SELECT count(pg_terminate_backend(pid, {1000 * LIMIT_S})) FROM pg_stat_activity WHERE usename = '{bank.ROLE}'")
        self.assertGreater(int(killed), 0)
        self.assert_serving()

    def test_connection_says_who_it_is(self):
        self.assert_serving()
        row = self.cluster.value("SELECT DISTINCT application_name FROM pg_stat_activity "
                                 f"WHERE usename = '{bank.ROLE}'")
        self.assertEqual("visaged", row)

    def test_locked_table_times_out(self):
        """A statement that waits is given up, and says so; the connection is used again."""
        daemon = self.start("hasty", database_timeout_ms=3000)
        self.ask(daemon)
        locked, done = threading.Event(), threading.Event()

        def hold():
            # The lock ends with the session, after the test has its answer.
            psql = subprocess.Popen([f"{self.cluster.bindir}/psql", "-X", "-q", "-A", "-t", self.cluster.conninfo()],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            psql.stdin.write("BEGIN; LOCK TABLE visage.event IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
            psql.stdin.flush()
            psql.stdout.readline()
            locked.set()
            done.wait()
            psql.communicate()

        holder = threading.Thread(target=hold)
        holder.start()
        try:
            self.assertTrue(locked.wait(LIMIT_S))
            began = time.monotonic()
            reply = self.ask(daemon)
            self.assertIn(reply.code, ("DATABASE_TIMEOUT", "BUSY"), reply.body)
            self.assertEqual(503, reply.status)
            self.assertLess(time.monotonic() - began, 5)
        finally:
            done.set()
            holder.join()
        self.assertEqual(200, self.ask(daemon).status)

    def test_wrong_database_role_and_extension(self):
        self.cluster.psql("CREATE ROLE stranger LOGIN; CREATE DATABASE bare;")
        daemon = self.start("stranger", wait=False, database=self.cluster.conninfo("stranger"))
        self.assertIn("GRANT visage_service TO stranger", self.fault(daemon))
        self.assert_problem(self.ask(daemon), 500, "DATABASE_MISCONFIGURED", "lacks a right")
        daemon = self.start("bare", wait=False, database=self.cluster.conninfo(bank.ROLE, "bare"))
        self.assertIn("CREATE EXTENSION", self.fault(daemon))
        self.assert_problem(self.ask(daemon), 503, "NOT_READY", "extension")

    def fault(self, daemon):
        self.wait_for(lambda: daemon.wait_ready(wanted=503)["models"]["ready"], "the models")
        return daemon.wait_ready(wanted=503)["database"]["why"]


class Pooled(HttpTest):
    """[6.5d] [8.2.3c] Behind pgbouncer in transaction mode, which has one connection for all of the daemon's."""

    def setUp(self):
        super().setUp()
        stage, port = self.cluster.stage, 6543  # of a socket in our own directory
        users = self.cluster.write_private("pooler.users", f'"{bank.ROLE}" ""\n')
        settings = {"pool_mode": "transaction", "default_pool_size": 1, "listen_addr": "", "listen_port": port, "unix_socket_dir": stage,
                    "auth_type": "trust", "auth_file": users, "logfile": "", "pidfile": ""}
        config = self.cluster.write_private("pooler.ini", f"[databases]\nbank = host={stage} dbname=postgres\n[pgbouncer]\n" +
                                            "".join(f"{name} = {value}\n" for name, value in settings.items()))
        switch = {}
        if os.getuid() == 0:  # it refuses root, as PostgreSQL does
            entry = pwd.getpwnam(self.cluster.user)
            switch = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with open(f"{stage}/pooler.log", "w") as log:
            pooler = subprocess.Popen(["pgbouncer", config], env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}, cwd=stage,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, **switch)
        self.addCleanup(pooler.wait)
        self.addCleanup(pooler.terminate)
        self.wait_for(lambda: os.path.exists(f"{stage}/.s.PGSQL.{port}"), f"{stage}/pooler.log")
        # pgbouncer takes no options at the start of a connection; docs/operations.md says what goes to the role instead.
        self.daemon = self.start("pooled", database=f"host={stage} port={port} user={bank.ROLE} dbname=bank options=''")
        self.client = self.connect(self.daemon)

    def test_session_is_followed_to_its_end(self):
        """[6.6g] Opened, followed, used: each by a statement on whichever connection there is."""
        self.assertEqual(201, self.client.register("pooled", self.portrait(PERSON), channel=CHANNEL).status)
        opened = self.client.open_session("pooled", "verify", channel=CHANNEL).json
        heard, began = [], threading.Event()

        def listen():
            caller = self.connect(self.daemon)
            caller.connection = caller._connect()
            caller.connection.request("GET", f"/v1/sessions/{opened['session']}/events", headers={"Authorization": f"Bearer {self.stand.token}"})
            for line in caller.connection.getresponse():
                if line.startswith(b"data: "):
                    heard.append(json.loads(line[6:])["state"])
                    began.set()

        listener = threading.Thread(target=listen)
        listener.start()
        self.assertTrue(began.wait(LIMIT_S))
        within = {"channel": CHANNEL, "session": opened["session"], "nonce": opened["nonce"], "biz_id": "pooled-1"}
        first = self.client.verify("pooled", self.portrait(SAME_PERSON), **within)
        self.assertEqual("accept", first.decision, first.body)
        listener.join(LIMIT_S)
        self.assertFalse(listener.is_alive())
        self.assertEqual(["CREATED", "SUCCEEDED"], heard)
        again = self.client.verify("pooled", self.portrait(SAME_PERSON), **within)
        self.assertEqual(first.json["transaction_id"], again.json["transaction_id"])
        within["biz_id"] = "pooled-2"
        self.assertEqual("REPLAYED_SESSION", self.client.verify("pooled", self.portrait(SAME_PERSON), **within).code)

    def test_many_at_a_time(self):
        replies = []
        threads = [threading.Thread(target=lambda client: replies.append(client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL)),
                                    args=(self.connect(self.daemon),)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({(200, "UNKNOWN_SUBJECT")}, {(reply.status, reply.code) for reply in replies})
