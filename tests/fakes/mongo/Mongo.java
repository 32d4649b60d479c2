import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetSocketAddress;
import org.h2.mvstore.MVStore;

/**
 * A server that speaks MongoDB's protocol (mongo-java-server: no login, sessions or transactions):
 * {@code Mongo PORT [FILE]}. With a file its data outlives it; what was written in the last
 * 20 milliseconds is lost when it is killed.
 */
public final class Mongo {
    private static MongoBackend backend(String[] args) {
        if (args.length < 2) return new MemoryBackend();
        MVStore store = new MVStore.Builder().fileName(args[1]).cacheSize(64).open();
        store.setAutoCommitDelay(20);
        return new H2Backend(store);
    }

    public static void main(String[] args) {
        MongoServer server = new MongoServer(backend(args));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    }
}
