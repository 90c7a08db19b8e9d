// Submit a text and wait, follow another by its events, translate a document. Needs JDK 17, and nothing else.
// Usage: java examples/http/Translate.java HTTP_URL API_KEY FILE
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;

class Translate {
    static final String TEXT =
        "{\"text\": \"Good morning.\", \"source_language\": \"en\", \"target_language\": \"pt\"}";
    static final String JSON = "application/json", BOUNDARY = "part-of-a-form-4711";

    // Java asks to change to HTTP/2 otherwise; some servers then lose the body of the first request.
    final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    final String url, key;

    Translate(String url, String key) {
        this.url = url.replaceAll("/$", "");
        this.key = key;
    }

    public static void main(String[] args) throws Exception {
        var file = Path.of(args[2]);
        var here = new Translate(args[0], args[1]);

        // 200: finished; 202: not yet, and status_url shows it.
        var finished = here.post("/api/v1/translations?wait=30", JSON, BodyPublishers.ofString(TEXT));
        System.out.println("waited: " + member("text", finished));

        var job = member("job_id", here.post("/api/v1/translations", JSON, BodyPublishers.ofString(TEXT)));
        System.out.println("events: " + here.result("/api/v1/translations/" + job + "/events"));

        var document = here.post("/api/v1/documents", "multipart/form-data; boundary=" + BOUNDARY, form(file));
        var path = "/api/v1/documents/" + member("job_id", document) + "/download?wait=60";
        var translated = here.ask(here.request(path).GET(), BodyHandlers.ofByteArray());
        Files.write(Path.of(file + ".pt"), translated);
        System.out.println("document: " + translated.length + " bytes in " + file + ".pt");
    }

    String post(String path, String mediaType, BodyPublisher body) throws Exception {
        return ask(request(path).header("Content-Type", mediaType).POST(body), BodyHandlers.ofString());
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url + path)).header("Authorization", "Bearer " + key);
    }

    <T> T ask(HttpRequest.Builder request, BodyHandler<T> handler) throws Exception {
        HttpResponse<T> answer = client.send(request.build(), handler);
        // An error is an RFC 9457 problem: it names the field, the limit and the cure.
        if (answer.statusCode() >= 400) throw new IllegalStateException(answer.statusCode() + ": " + answer.body());
        return answer.body();
    }

    /** The text of the event `result`, which is the last one. */
    String result(String path) throws Exception {
        String name = "";
        try (Stream<String> lines = ask(request(path).GET(), BodyHandlers.ofLines())) {
            for (var line : (Iterable<String>) lines::iterator) {
                if (line.startsWith("event: ")) name = line.substring(7);
                if (line.startsWith("data: ") && name.equals("result")) return member("text", line);
            }
        }
        throw new IllegalStateException("the stream ended without a result");
    }

    static BodyPublisher form(Path file) throws Exception {
        var body = new ByteArrayOutputStream();
        body.write((field("source_language", "en") + field("target_language", "pt") + "--" + BOUNDARY
            + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + file.getFileName()
            + "\"\r\nContent-Type: application/octet-stream\r\n\r\n").getBytes(StandardCharsets.UTF_8));
        body.write(Files.readAllBytes(file));
        body.write(("\r\n--" + BOUNDARY + "--\r\n").getBytes(StandardCharsets.UTF_8));
        return BodyPublishers.ofByteArray(body.toByteArray());
    }

    static String field(String name, String value) {
        return "--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }

    /** The first member of that name. Java has no JSON parser: a program would use Jackson. */
    static String member(String name, String json) {
        var found = Pattern.compile("\"" + name + "\": ?\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
        if (!found.find()) throw new IllegalStateException(name + " is missing: " + json);
        return found.group(1);
    }
}
