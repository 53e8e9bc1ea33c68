import java.net.HttpURLConnection;
import java.net.URI;

/** Polls by HttpURLConnection: `java Poll URL...`. */
public final class Poll {
    public static void main(String[] urls) {
        for (String url : urls) {
            try {
                var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
                System.out.println(connection.getResponseCode());
            } catch (java.io.IOException error) {
                System.out.println(error.getMessage());
            }
        }
    }
}
