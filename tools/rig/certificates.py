"""A throw-away authority, a server certificate and client certificates."""
import os
import ssl
import subprocess

EXTENSIONS = """
[server]
subjectAltName = IP:127.0.0.1, DNS:localhost
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
[named]
extendedKeyUsage = clientAuth
subjectAltName = DNS:teller.bank.example
"""


class Authority:
    def __init__(self, directory, name="authority"):
        self.directory = directory
        self.certificate = self._path(name + ".crt")
        self.key = self._path(name + ".key")
        with open(self._path("extensions.cnf"), "w") as file:
            file.write(EXTENSIONS)
        self._openssl("req", "-x509", *self._new_key(self.key), "-out", self.certificate, "-subj", f"/CN={name}",
                      "-days", "2", "-addext", "basicConstraints=critical,CA:TRUE")

    def _path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.directory)

    def issue(self, name, section, days=2):
        """(certificate, key): PEM files. The key is readable by its owner only."""
        certificate, key, request = (self._path(name + end) for end in (".crt", ".key", ".csr"))
        self._openssl("req", *self._new_key(key), "-out", request, "-subj", f"/CN={name}")
        os.chmod(key, 0o600)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                      "-out", certificate, "-days", str(days), "-extfile", "extensions.cnf", "-extensions", section)
        return certificate, key

    def context(self, pair=None, **versions):
        """What a client trusts and presents."""
        context = ssl.create_default_context(cafile=self.certificate)
        for name, version in versions.items():
            setattr(context, name, version)
        if pair is not None:
            context.load_cert_chain(*pair)
        return context
