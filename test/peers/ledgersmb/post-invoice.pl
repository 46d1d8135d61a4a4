# Posts an invoice with LedgerSMB's own code, so that what the connector writes can be compared with it, row by row.
# Usage: post-invoice.pl DSN JSON, where JSON has the fields that the invoice's screen would send.
use strict;
use warnings;
use DBI;
use JSON::PP;
use Log::Log4perl;
Log::Log4perl->easy_init($Log::Log4perl::OFF);
{
    # Its old code is full of undefined values.
    no warnings;
    local $SIG{__WARN__} = sub { };
    require LedgerSMB::Form;
    require LedgerSMB::App_State;
    require LedgerSMB::Setting;
    require LedgerSMB::IS;
}
$SIG{__WARN__} = sub { };
my ($dsn, $json) = @ARGV;
my $dbh = DBI->connect("dbi:Pg:$dsn", 'peer', 'peer',
    { AutoCommit => 0, RaiseError => 1, PrintError => 0, pg_enable_utf8 => 1 });
$LedgerSMB::App_State::DBH = $dbh;
my $form = Form->new;
my $fields = decode_json($json);
$form->{$_} = $fields->{$_} for keys %$fields;
$form->{dbh} = $dbh;
IS->post_invoice({ numberformat => '1000.00', dateformat => 'yyyy-mm-dd' }, $form) or die 'not posted';
$dbh->commit;
print encode_json({ number => $form->{invnumber} });
