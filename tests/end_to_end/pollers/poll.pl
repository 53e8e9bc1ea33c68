# Polls by a Perl library: `poll.pl LIBRARY URL...`.
use strict;
use warnings;

my ($library, @urls) = @ARGV;
for my $url (@urls) {
    if ($library eq 'lwp') {
        require LWP::UserAgent;
        my $answer = LWP::UserAgent->new->get($url);
        print $answer->header('Client-Warning') ? $answer->message : $answer->code, "\n";
    } else {
        require HTTP::Tiny;
        my $answer = HTTP::Tiny->new(verify_SSL => 1)->get($url);
        print $answer->{status} == 599 ? $answer->{content} =~ s/\s+/ /gr : $answer->{status}, "\n";
    }
}
