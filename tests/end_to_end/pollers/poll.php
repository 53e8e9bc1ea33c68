<?php
// Polls by a PHP extension: `poll.php LIBRARY URL...`.
$outcome = '';
set_error_handler(function ($level, $message) use (&$outcome) { $outcome .= strtr($message, "\n", ' '); return true; });
foreach (array_slice($argv, 2) as $url) {
    $outcome = '';
    if ($argv[1] === 'curl') {
        $handle = curl_init($url);
        curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
        $outcome = curl_exec($handle) === false ? curl_error($handle) : curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
    } elseif (file_get_contents($url) !== false) {
        $outcome = explode(' ', $http_response_header[0])[1];
    }
    echo $outcome, "\n";
}
