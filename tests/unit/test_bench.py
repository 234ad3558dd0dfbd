#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tkms-bench as scripts see it: JSON fields and how they hang together, exit status, messages.

usage: test_bench.py TKMS_BENCH
"""
import json
import subprocess
import sys
import unittest

BENCH = sys.argv.pop(1) if len(sys.argv) > 1 else 'tkms-bench'


def run(*args, timeout=120):
    return subprocess.run([BENCH, *args], capture_output=True, text=True, timeout=timeout)


def engine(*args):
    done = run('engine', '--seconds', '0.2', '--subscribers', '500', '--json', *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Engine(unittest.TestCase):
    FIELDS = ('op_per_s', 'ns_per_op', 'compressions_per_op', 'ns_per_compression', 'floor_ns', 'floor_ratio',
              'openssl_ns_per_op', 'speedup')

    def check(self, result):
        for field in self.FIELDS:
            self.assertGreater(result[field], 0, field)
        self.assertAlmostEqual(result['op_per_s'] * result['ns_per_op'] / 1e9, 1, places=3)
        self.assertAlmostEqual(result['floor_ratio'] * result['floor_ns'] / result['ns_per_op'], 1, places=3)
        self.assertAlmostEqual(result['speedup'] * result['ns_per_op'] / result['openssl_ns_per_op'], 1, places=3)
        # The hardware's limits: no compression in under a nanosecond, none in over a microsecond.
        self.assertTrue(1 < result['ns_per_compression'] < 1000)

    def test_the_default_is_the_forked_resolve_of_640_octets(self):
        result = engine()
        self.check(result)
        self.assertEqual((result['op'], result['suite'], result['forked'], result['request_octets']),
                         ('resolve', 'B', True, 640))
        self.assertAlmostEqual(result['floor_ns'] / result['ns_per_compression'], 112, places=2)
        self.assertTrue(112 <= result['compressions_per_op'] <= 150)

    def test_every_kind_of_operation(self):
        for args in (['--suite', 'A'], ['--op', 'request'], ['--op', 'request', '--suite', 'A'], ['--not-forked'],
                     ['--tgks', '4'], ['--batch', '1'], ['--bad', '0.5'], ['--subscribers', '1']):
            with self.subTest(args=args):
                self.check(engine(*args))

    def test_less_work_where_less_is_asked_for(self):
        forked = engine()['compressions_per_op']
        self.assertLess(engine('--not-forked')['compressions_per_op'], forked)
        self.assertGreater(engine('--tgks', '4')['compressions_per_op'], forked)
        self.assertLess(engine('--bad', '1')['compressions_per_op'], forked / 2)

    def test_refusing_is_cheaper_than_answering(self):
        result = engine('--seconds', '1')
        self.assertLess(result['malformed_ns_per_op'], result['ns_per_op'])
        self.assertLess(result['garbage_ns_per_op'], result['ns_per_op'])

    def test_the_profile_has_the_work_of_each_stage(self):
        stages = {s['stage']: s for s in engine('--profile')['profile']}
        for name in ('authenticate', 'open ticket', 'fork', 'respond'):
            self.assertGreater(stages[name]['prf_ops'] + stages[name]['mac_ops'], 0, name)
            self.assertGreater(stages[name]['compressions'], 0, name)
        self.assertGreater(stages['screen']['ns'], 0)
        stages = {s['stage']: s for s in engine('--profile', '--op', 'request')['profile']}
        for name in ('generate', 'seal'):
            self.assertGreater(stages[name]['compressions'], 0, name)
        self.assertGreater(stages['grant']['ns'], 0)

    def test_the_table_names_what_was_measured(self):
        done = run('engine', '--seconds', '0.1', '--subscribers', '100', '--profile')
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ('floor', 'OpenSSL', 'speed-up', 'open ticket', 'compressions'):
            self.assertIn(word, done.stdout)

    def test_a_size_that_cannot_be_reached_is_an_error(self):
        done = run('engine', '--size', '100', '--subscribers', '10')
        self.assertEqual(done.returncode, 1)
        self.assertIn('100 octets', done.stderr)


class Crypto(unittest.TestCase):
    def test_every_backend_operation_and_batch(self):
        done = run('crypto', '--milliseconds', '1', '--json')
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads(done.stdout)['results']
        self.assertEqual({r['backend'] for r in results}, {'ipsec-mb', 'openssl'})
        self.assertEqual({r['batch'] for r in results}, {1, 4, 16, 64, 256})
        for r in results:
            self.assertTrue(0 < r['ns_per_op'] < 1e6, r)
        kinds = {r['op'].split()[0] for r in results}
        self.assertEqual(kinds, {'prf', 'mac', 'aes-cm-128', 'aes-cm-256', 'key_prepare'})


class Subscribers(unittest.TestCase):
    def test_lines_are_what_an_import_takes(self):
        lines = run('subscribers', '--count', '20').stdout.splitlines()
        records = [json.loads(line) for line in lines]
        self.assertEqual(len(records), 20)
        self.assertEqual(len({r['psk_id'] for r in records}), 20)
        self.assertEqual(len({r['psk'] for r in records}), 20)
        for r in records:
            self.assertEqual(len(r['psk']), 64)
            self.assertEqual(len(r['uids']), 1)
            self.assertRegex(r['uids'][0], r'^[^@]+@[^@]+$')

    def test_they_are_the_same_on_every_run(self):
        self.assertEqual(run('subscribers').stdout, run('subscribers').stdout)


class Arguments(unittest.TestCase):
    def refused(self, *args):
        done = run(*args)
        self.assertEqual(done.returncode, 2, args)
        self.assertTrue(done.stderr.startswith(('tkms-bench: ', 'usage: ')) or 'option' in done.stderr, done.stderr)
        self.assertEqual(done.stdout, '')

    def test_wrong_ones_are_refused_with_status_2(self):
        load = ('load', '--kms', '127.0.0.1', '--rate', '1', '--seconds', '1')
        for args in ((), ('nonsense',), ('load',), ('load', '--kms', '127.0.0.1'), load[:5], load + ('more',),
                     load + ('--rate', '-5'), load + ('--rate', 'nan'), load + ('--seconds', '0'),
                     load + ('--op', 'transfer'), load + ('--suite', 'C'), load + ('--sources', '0'),
                     load + ('--unknown',), ('engine', '--batch', '65'), ('engine', '--batch', '0'),
                     ('engine', '--tgks', '17'), ('dataplane', '--suite', 'C'),
                     ('dataplane', '--cpus', '1'), ('dataplane', '--rotate', '0'), ('engine', '--bad', '1.5'), ('crypto', '--backend', 'none'),
                     ('subscribers', '--count', 'x')):
            with self.subTest(args=args):
                self.refused(*args)

    def test_help_goes_to_stdout(self):
        for args in (('--help',), ('load', '--help'), ('engine', '--help'), ('dataplane', '--help'), ('crypto', '--help'),
                     ('subscribers', '--help')):
            done = run(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertTrue(done.stdout.startswith('usage: tkms-bench'))


class Dataplane(unittest.TestCase):
    def test_a_data_plane_that_does_not_start_is_said_so_with_its_words(self):
        done = run('dataplane', '--subscribers', '10', '--program', '/bin/ls')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn('does not serve', done.stderr)
        self.assertIn('unrecognized option', done.stderr)


class Load(unittest.TestCase):
    def fails(self, *args):
        done = run('load', '--rate', '1', '--seconds', '0.1', *args)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, '')
        return done.stderr

    def test_a_wrong_address_is_named(self):
        self.assertIn('"1.2.3.4.5"', self.fails('--kms', '127.0.0.1,1.2.3.4.5'))
        self.assertIn('more than 32', self.fails('--kms', ','.join(['127.0.0.1'] * 33)))

    def test_a_wrong_file_is_named_with_the_line(self):
        self.assertIn('/nonexistent', self.fails('--kms', '127.0.0.1', '--subscribers', '/nonexistent'))
        self.assertIn('/dev/null', self.fails('--kms', '127.0.0.1', '--subscribers', '/dev/null'))
        self.assertIn('%s:1:' % __file__, self.fails('--kms', '127.0.0.1', '--subscribers', __file__))

    def test_a_silent_kms_is_reported_as_such(self):
        self.assertIn('silence', self.fails('--kms', '127.0.0.1:9'))


if __name__ == '__main__':
    unittest.main()
