# What was erased does not open any more, wherever its bytes lie, and a restore does not bring it back. [8.2.4d] [8.2.5g]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('erased', init => { allows_streaming => 1, has_archiving => 1 });
my $keys = $node->basedir . '/keys';
my ($first) = slurp_file("$keys/envelope") =~ /^1 (\w+)/;
my $second = random_key();
$node->start;
load_fixture($node);
verdict_is($node, $_, 'accept OK', "$_ is registered", flow => 'register') for 'alice', 'bob', 'carol';
my ($alice, $reference) = split /\|/, $node->safe_psql('postgres',
  q{SELECT s.id, r.id FROM visage.subject s JOIN visage.subject_reference r ON r.subject = s.id WHERE s.external_id = 'alice'});
my $uuid = pack 'H32', $alice =~ s/-//gr;
$node->backup('before');

# Everything in a set of files that could be alice's wrapped key or her reference (docs/formats.md: sizes and places).
sub harvest {
  my %found;
  for my $path (@_) {
    open my $file, '<:raw', $path or next;
    local $/;
    my $content = <$file> // '';
    for (my $at = index $content, $uuid; $at >= 0; $at = index $content, $uuid, $at + 1) {
      my ($key, $reference) = map { $at >= $_->[0] ? substr $content, $at - $_->[0], $_->[1] : '' } [ 12, 88 ], [ 40, 264 ];
      $found{key}{$key} = 1 if $key =~ /^K\x01.\x00/s && length $key == 88;
      $found{reference}{$reference} = 1 if $reference =~ /^R\x01/ && length $reference == 264;
    }
  }
  return \%found;
}

# How many pairs of them open on a server, and what the others say.
sub opens {
  my ($server, $found) = @_;
  my $load = sub {
    my ($table, $type, @values) = @_;
    my $path = $server->basedir . "/$table.copy";
    open my $file, '>:raw', $path or die "$path: $!";
    print $file "PGCOPY\n\xFF\r\n\0", pack('NN', 0, 0), (map { pack('nN', 1, length) . $_ } @values), pack('n', 65535);
    close $file or die "$path: $!";
    $server->safe_psql('postgres', "DROP TABLE IF EXISTS $table; CREATE TABLE $table (value $type); COPY $table FROM '$path' (FORMAT binary)");
  };
  $load->('found_key', 'bytea', sort keys %{ $found->{key} });
  $load->('found_reference', 'visage.reference', sort keys %{ $found->{reference} });
  return $server->safe_psql('postgres', qq{SELECT coalesce(fault, 'opens'), count(*) > 0 FROM found_key k, found_reference r,
    visage.open_reference(1, '$alice', k.value, '$reference', 1, r.value) GROUP BY 1 ORDER BY 1});
}

my %place = (
  heap => sub { return files_below($node->data_dir . '/base') },
  log => sub { return (files_below($node->data_dir . '/pg_wal'), files_below($node->archive_dir)) },
  backup => sub { return files_below($node->backup_dir) });
my $places = sub { return map { $_->() } values %place };
$node->safe_psql('postgres', 'CHECKPOINT');
# All of them first: what is tried below is itself in the heap and the log then.
my %there = map { ($_ => harvest($place{$_}->())) } keys %place;
like(opens($node, $there{$_}), qr/^opens\|t$/m, "what lies in the $_ is found, and opens as long as alice is there") for sort keys %there;

# Erased: row, key and references in one transaction; vacuumed and written out.
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.cancel('alice'))}), 'accept OK', 'alice is cancelled');
is($node->safe_psql('postgres', qq{SELECT (SELECT count(*) FROM visage.subject_key WHERE subject = '$alice')
  + (SELECT count(*) FROM visage.subject_reference WHERE subject = '$alice')}), 0, 'no row is left');
$node->safe_psql('postgres', 'DROP TABLE found_key, found_reference');
$node->safe_psql('postgres', "VACUUM visage.$_") for 'subject', 'subject_key', 'subject_reference';
$node->safe_psql('postgres', 'CHECKPOINT');
# Bytes stay in pages, log and backup until they are overwritten, and the old root opens them: that is what rotation ends.
my $left = harvest($places->());
like(opens($node, $left), qr/^opens\|t$/m, 'under the old root bytes in old files still open: it must be rotated');

# The root is rotated while the server serves; the keeper brings everything under the new one.
write_file("$keys/envelope", "1 $first", "2 $second");
is($node->safe_psql('postgres', 'SELECT visage.reload_keys()'), 1, 'a new root');
is($node->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', task, due, done), ', ') FROM visage.keep_house(true) WHERE task IN ('keys', 'references')}),
  'keys 2 0, references 2 0', 'a dry run says what would be done, and does nothing');
configure($node, Visage::preloaded($node), 'visage.keeper' => 'on', 'visage.keeper_interval' => '1s');
$node->reload;
$node->poll_query_until('postgres', q{SELECT sum(subject_keys + subject_references) = 0 FROM visage.keys WHERE custody = 'envelope' AND version = 1})
  or die 'the keeper did not re-wrap';
ok($node->poll_query_until('postgres', q{SELECT rounds > 0 AND fault IS NULL AND state = 'waiting' AND database = 'postgres' FROM visage.keeper}),
  'the keeper re-wraps by itself, and says when it is through');
verdict_is($node, 'bob', 'accept OK', 'who stays is verified as before');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.integrity()'), 0, '… and all references are those that were registered [8.2.4e]');
$node->safe_psql('postgres', q{SELECT visage.rotate_ledger_key()});
my $source = $node->safe_psql('postgres', q{SELECT visage.add_capture_source('second') IS NOT NULL});
my $list = $node->safe_psql('postgres', 'COPY (SELECT * FROM visage.erasure_list()) TO STDOUT');
$node->stop;
write_file("$keys/envelope", "2 $second");
$node->start;
sub sealed { my ($person, $i) = @_; return qq{visage.seal_probe(fixture.feature('$person', $i), 'test/1', 0.9, 'second',
  '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')}; }
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('bob', " . sealed('bob', 3) . '))'), 'accept OK',
  'without the old root the others are verified');
$node->safe_psql('postgres', 'CHECKPOINT');
my $kept = harvest($place{backup}->());
cmp_ok(keys %{ $kept->{key} }, '>', 0, 'bytes of her key still lie in the backup');
cmp_ok(keys %{ $kept->{reference} }, '>', 0, '… and of her reference');
my $still = harvest($places->());
for my $what ('key', 'reference') {
  $still->{$what} = { map { %{ $_->{$what} } } $still, $left, values %there };
}
is(opens($node, $still), 'envelope key version 1 is not loaded|t', 'nothing of it opens: not from the heap, the log, or a backup from before');
$node->stop;

# The backup from before knows alice. It needs the old root, and with the list of erasures she stays erased.
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init_from_backup($node, 'before');
configure($restored, Visage::preloaded($node), 'visage.keeper' => 'off');
$restored->start;
like($restored->safe_psql('postgres', 'SELECT part, object, fault FROM visage.integrity()'),
  qr/^keys\|envelope key version 1\|is not loaded: 3 subjects' keys, 3 references, 0 factors and 1 capture sources need it$/m, 'a missing key version is named');
$restored->stop;
write_file("$keys/envelope", '1 ' . random_key(), "2 $second");
$restored->start;
like($restored->safe_psql('postgres', 'SELECT part, object, fault FROM visage.integrity()'),
  qr/^keys\|envelope key version 1\|opens none of 3 references: it is another key of that version/m, 'a wrong key under a version is named');
$restored->stop;
write_file("$keys/envelope", "1 $first", "2 $second");
$restored->start;
verdict_is($restored, 'alice', 'accept OK', 'without the list a backup brings her back');
my $copied = write_file($restored->basedir . '/erasures.copy', split /\n/, $list);
$restored->safe_psql('postgres', "COPY visage.erasure FROM '$copied'");
is($restored->safe_psql('postgres', 'SELECT * FROM visage.after_restore()'), "subjects|1\nreferences|0\nfactors|0\nconsents|0", 'the list is replayed');
verdict_is($restored, 'alice', 'refuse UNKNOWN_SUBJECT', 'she stays erased');
verdict_is($restored, 'bob', 'accept OK', 'bob is there');
all_settled($restored);
is($restored->safe_psql('postgres', 'SELECT * FROM visage.integrity()'), '', 'what was restored belongs together [6.5c]');
is($restored->safe_psql('postgres', q{SELECT note FROM visage.history WHERE operation = 'restore'}), 'erased again: 1 subjects, 0 references, 0 factors, 0 consents',
  'the ledger has it');
$restored->stop;

done_testing();
