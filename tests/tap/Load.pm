# Clients that ask for verdicts for ever and write down each that they are told: alice comes as herself, mallory as bob.
# They come back when the server does. psql flushes after each answer, so what is in their files was told.
package Load;

use strict;
use warnings;

use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

sub start {
  my ($class, $node, $name, $clients) = @_;
  my $base = $node->basedir . "/$name";
  my $script = write_file("$base.sql", map {
    my ($subject, $person) = @$_;
    "SELECT o.event, o.decision, o.reason, o.transaction_id, '$subject' FROM visage.verify('$subject', fresh('$person')) o;"
  } ([ 'alice', 'alice' ], [ 'bob', 'mallory' ]) x 500);
  my $self = bless { stop => "$base.stop", files => [ map { "$base.told.$_" } 1 .. $clients ], workers => [] }, $class;
  for my $file (@{ $self->{files} }) {
    write_file($file);
    my $pid = fork // die $!;
    if (!$pid) {
      open STDOUT, '>>', $file or die;
      open STDERR, '>', '/dev/null' or die;
      until (-e $self->{stop}) {
        system 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $script;
        select undef, undef, undef, 0.02;  # the server is away: not too many attempts a second
      }
      POSIX::_exit(0);
    }
    push @{ $self->{workers} }, $pid;
  }
  return $self;
}

sub size { my ($self) = @_; my $size = 0; $size += -s $_ for @{ $self->{files} }; return $size; }

# Waits until about so many more were told: a line has about 70 bytes.
sub wait_for_more {
  my ($self, $verdicts) = @_;
  my $before = $self->size;
  wait_until(sub { $self->size >= $before + 70 * $verdicts }, 'verdicts');
  return;
}

# Ends the clients after what they are about; returns the lines: event, decision, reason, transaction id, subject.
sub stop {
  my ($self) = @_;
  write_file($self->{stop});
  waitpid $_, 0 for splice @{ $self->{workers} };
  return map { grep { /^\d+\|\w+\|\w+\|[0-9a-f-]{36}\|\w+$/ } split /\n/, slurp_file($_) } @{ $self->{files} };
}

# The test may die in between.
sub DESTROY {
  my ($self) = @_;
  return if !@{ $self->{workers} };
  local $?;
  write_file($self->{stop});
  kill TERM => @{ $self->{workers} };
  waitpid $_, 0 for @{ $self->{workers} };
  return;
}

# Is each of these lines in this server's ledger, as it was told?
sub all_recorded {
  my ($node, @lines) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $file = write_file($node->basedir . '/told.csv', @lines);
  $node->safe_psql('postgres', "CREATE TABLE IF NOT EXISTS told (event bigint, decision text, reason text, transaction_id uuid, subject text);
    TRUNCATE told; COPY told FROM '$file' WITH (DELIMITER '|')");
  is($node->safe_psql('postgres', q{SELECT count(*) FROM told t LEFT JOIN visage.history h ON h.event = t.event AND h.transaction_id = t.transaction_id
      AND h.decision::text = t.decision AND h.reason::text = t.reason AND h.subject = t.subject WHERE h.event IS NULL}), 0,
    'every verdict that a client was told is in the ledger, as it was told [8.1.4a]');
  is($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT event) FROM told'), 0, 'no two were told of one event');
  is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT subject || ' ' || decision || ' ' || reason, ', ') FROM told}), 'alice accept OK, bob reject NO_MATCH',
    'nobody was told anything else');
  is($node->safe_psql('postgres', 'SELECT max(seq) + 1 - count(*) FROM visage.event'), 0, 'numbers have no gap');
  my $failures = $node->safe_psql('postgres', q{SELECT failures FROM visage.attempts WHERE kind = 'subject' AND subject = 'bob'});
  cmp_ok($failures, '>=', $node->safe_psql('postgres', q{SELECT count(*) FROM told WHERE subject = 'bob'}), 'every failure that was told counts [8.2.5d]');
  cmp_ok($failures, '>=', $node->safe_psql('postgres', q{SELECT count(*) FROM visage.history WHERE subject = 'bob' AND operation = 'verify' AND reason IN ('NO_MATCH', 'INTERRUPTED')}),
    '… and every one that is recorded');
  return;
}

1;
