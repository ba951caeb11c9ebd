"""The database goes away, comes back, is the wrong one [8.2.3c]."""
import threading
import time

from fixture import CHANNEL, STRANGER, HttpTest
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
            daemon.wait_ready(10)
            # Probes sealed before the server remembers uses are refused; this one is new.
            self.assertEqual((200, "UNKNOWN_SUBJECT"), (self.ask(daemon, client).status, self.ask(daemon, client).code))

    def test_terminated_backends_are_replaced(self):
        self.assert_serving()
        killed = self.cluster.value(
            f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE usename = '{bank.ROLE}'")
        self.assertGreater(int(killed), 0)
        self.assert_serving()

    def test_connection_says_who_it_is(self):
        self.assert_serving()
        row = self.cluster.value("SELECT DISTINCT application_name FROM pg_stat_activity "
                                 f"WHERE usename = '{bank.ROLE}'")
        self.assertEqual("visaged", row)

    def test_locked_table_times_out(self):
        """A statement that waits is given up, and says so; the connection is used again."""
        daemon = self.start("hasty", database_timeout_ms=300)
        self.ask(daemon)
        locked, done = threading.Event(), threading.Event()

        def hold():
            # The lock ends with the session, after the test has its answer.
            import subprocess
            psql = subprocess.Popen([f"{self.cluster.bindir}/psql", "-X", "-q", "-A", "-t", self.cluster.conninfo()],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            psql.stdin.write("BEGIN; LOCK TABLE visage.event IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
            psql.stdin.flush()
            psql.stdout.readline()
            locked.set()
            done.wait(20)
            psql.communicate()

        holder = threading.Thread(target=hold)
        holder.start()
        try:
            self.assertTrue(locked.wait(10))
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
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            report = daemon.wait_ready(wanted=503)
            if report["models"]["ready"]:
                return report["database"]["why"]
            time.sleep(0.02)
        return ""
