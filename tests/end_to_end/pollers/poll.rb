# Polls by Net::HTTP: `poll.rb URL...`.
require 'net/http'

ARGV.each do |url|
  puts Net::HTTP.get_response(URI(url)).code
rescue StandardError => e
  puts e.message
end
