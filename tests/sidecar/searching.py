"""A site that lets people be searched for, among nobody."""
from fixture import HttpTest
from rig import bank


class SearchTest(HttpTest):
    def setUp(self):
        super().setUp()
        self.cluster.psql(f"""
            GRANT visage_search TO {bank.ROLE};
            -- The same portraits, that other tests left under their names.
            SELECT count(c) FROM visage.subject s, visage.cancel(s.external_id) c WHERE s.institution = 1;
            INSERT INTO visage.identify_policy (institution, max_candidates) VALUES (1, 2) ON CONFLICT DO NOTHING;
        """)
        self.addCleanup(self.cluster.psql, f"REVOKE visage_search FROM {bank.ROLE}; DELETE FROM visage.identify_policy;")
