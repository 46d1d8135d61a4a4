# Makes a LedgerSMB company with the system's own loader. Usage: load.pl DATABASE HOST PORT
use strict;
use warnings;
use LedgerSMB::Database;

my ($name, $host, $port) = @ARGV;
my %login = (dbname => $name, host => $host, port => $port);
my $database = LedgerSMB::Database->new(
    %login,
    connect_data => { %login, user => 'peer', password => 'peer' },
    username     => 'peer',
    password     => 'peer',
    schema       => 'public',
    source_dir   => './sql',
);
$database->create_and_load();
$database->load_coa({ country => 'us', chart => 'General.sql' });
