<?php
// Polls by a PHP extension: `poll.php LIBRARY URL...`.
$said = '';
set_error_handler(function ($level, $message) use (&$said) { $said .= strtr($message, "\n", ' '); return true; });
foreach (array_slice($argv, 2) as $url) {
    $said = '';
    if ($argv[1] === 'curl') {
        $handle = curl_init($url);
        curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
        $said = curl_exec($handle) === false ? curl_error($handle) : curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
    } elseif (file_get_contents($url) !== false) {
        $said = explode(' ', $http_response_header[0])[1];
    }
    echo $said, "\n";
}
