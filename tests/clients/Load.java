import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;

/** Sends a file to each of the URLs with the default settings: over http, the first request asks for an upgrade. */
class Load {
    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        for (int index = 1; index < arguments.length; index++) {
            var body = HttpRequest.BodyPublishers.ofFile(Path.of(arguments[0]));
            var request = HttpRequest.newBuilder(URI.create(arguments[index])).POST(body).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
