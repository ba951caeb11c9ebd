"""Made-up people in a server, as bench/gallery_rows.cpp makes their rows: for what measures galleries."""
import os
import shutil
import subprocess

COLUMNS = {"subject": "id, institution, external_id", "subject_key": "subject, wrapped, key_version",
           "subject_reference": "id, subject, reference, model, scheme, generation, channel, key_version, transform_version",
           "gallery_code": "reference, subject, gallery, generation, code"}


def label_of(size):
    return f"{size // 1000000}m" if size % 1000000 == 0 else f"{size // 1000}k"


def load_rows(server, program, people):
    """Registering a million one by one would take longer than all that is measured. Features of some go into table known."""
    gallery = server.value("SELECT concat_ws(' ', id, epoch, transform_version, encode(salt, 'hex')) FROM visage.gallery").split()
    rows = os.path.join(server.stage, "rows")
    os.mkdir(rows, 0o755)
    made = subprocess.run([program, rows, str(people), os.path.join(server.stage, "envelope.keys"),
                           os.path.join(server.stage, "transform.keys"), *gallery], stdout=subprocess.PIPE, text=True, check=True)
    loads = "".join(f"COPY visage.{table} ({columns}) FROM '{rows}/{table}' (FORMAT binary);\n" for table, columns in COLUMNS.items())
    server.psql("SET session_replication_role = replica;\nBEGIN;\n" + loads + "COMMIT;")
    server.psql("COPY known FROM STDIN;\n" + made.stdout + "\\.\nVACUUM ANALYZE;")
    shutil.rmtree(rows)
