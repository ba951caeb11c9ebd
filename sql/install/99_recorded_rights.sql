-- The rights that the extension came with, once all of them are given. What differs from them later is an event.
INSERT INTO visage.recorded_rights (digest) VALUES (visage.rights_digest());
