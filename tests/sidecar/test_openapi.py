"""openapi.yaml is served as it is, and describes what the other tests saw."""
import re

import openapi
import yaml

from fixture import HttpTest


class OpenApi(HttpTest):
    def test_served_document_is_the_source(self):
        reply = self.connect(token="wrong").request("GET", "/openapi.yaml")  # no secret: needs no caller
        with open(openapi.PATH, "rb") as file:
            self.assertEqual(file.read(), reply.body)
        self.assertEqual("3.1.0", yaml.safe_load(reply.body)["openapi"])

    def test_problem_codes_are_all_described(self):
        with open(openapi.PATH.replace("openapi/openapi.yaml", "http/problem.cpp")) as file:
            codes = re.findall(r'\{ProblemCode::k\w+,\s+\d+,\s+"([A-Z0-9_]+)"', file.read())
        self.assertGreater(len(codes), 25)
        self.assertEqual(sorted(codes), sorted(openapi.DOCUMENT["components"]["schemas"]["Problem"]["properties"]
                                               ["code"]["enum"]))

    def test_reasons_are_all_described(self):
        reasons = self.cluster.value("SELECT string_agg(r::text, ' ') FROM unnest(enum_range(NULL::visage.reason)) r")
        described = openapi.DOCUMENT["components"]["schemas"]["Outcome"]["properties"]["reason"]["enum"]
        self.assertEqual(set(), set(reasons.split()) - set(described))

    def test_outcome_has_the_columns_of_the_type(self):
        columns = self.cluster.value("SELECT string_agg(attname, ' ') FROM pg_attribute "
                                     "WHERE attrelid = 'visage.outcome'::regclass AND attnum > 0").split()
        described = openapi.DOCUMENT["components"]["schemas"]["Outcome"]["required"]
        self.assertEqual(columns, described[:len(columns)])
