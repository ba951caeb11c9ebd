"""Made-up people in a gallery, for benchmarks: rows by bench/gallery_rows.cpp, as registering a million one by one would take
longer than what is to be measured."""
import os
import shutil
import subprocess
import time

from rig.cluster import Failed

COLUMNS = {"subject": "id, institution, external_id", "subject_key": "subject, wrapped, key_version",
           "subject_reference": "id, subject, reference, model, scheme, generation, channel, key_version, transform_version",
           "gallery_code": "reference, subject, gallery, generation, code"}


def load_rows(server, program, people):
    """Into the one gallery that is open; features of ten of them into the table known."""
    gallery = server.value("SELECT concat_ws(' ', id, epoch, transform_version, encode(salt, 'hex')) FROM visage.gallery").split()
    rows = os.path.join(server.stage, "rows")
    os.mkdir(rows, 0o755)
    made = subprocess.run([program, rows, str(people), os.path.join(server.stage, "envelope.keys"),
                           os.path.join(server.stage, "transform.keys"), *gallery], stdout=subprocess.PIPE, text=True, check=True)
    loads = "".join(f"COPY visage.{table} ({columns}) FROM '{rows}/{table}' (FORMAT binary);\n" for table, columns in COLUMNS.items())
    server.psql("SET session_replication_role = replica;\nBEGIN;\n" + loads + "COMMIT;")
    server.psql("COPY known FROM STDIN;\n" + made.stdout + "\\.\nVACUUM ANALYZE;")
    shutil.rmtree(rows)


def wait_until_served(server, people):
    deadline = time.monotonic() + 600
    while int(server.value("SELECT coalesce(sum(codes_in_memory), 0) FROM visage.galleries WHERE state = 'serving'")) < people:
        if time.monotonic() > deadline:
            raise Failed("memory does not serve: " + server.value("SELECT json_agg(m) FROM visage.galleries_in_memory() m"))
        time.sleep(0.2)


def label_of(size):
    """As the other figures of galleries are labelled: 100k, 1m."""
    return f"{size // 1000000}m" if size % 1000000 == 0 else f"{size // 1000}k"
