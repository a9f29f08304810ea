import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * Starts a mongo-java-server on the loopback interface and prints its port. Arguments: the file that it keeps its data
 * in, and the port, 0 for a free one.
 */
public class MongoServerLauncher {
    /** What the server can do is enough for drivers that want 4.4, but it says that it has the protocol of 4.2. */
    private record Version() implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    }

    /**
     * One whose renameCollection is atomic, as MongoDB's is: it would drop the target first, and look on. So it is for
     * what is on the disk: nothing is committed in the middle of a command.
     */
    private static class Backend extends H2Backend {
        private final ReadWriteLock lock = new ReentrantReadWriteLock();

        Backend(MVStore store) {
            super(store);
        }

        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            Lock held = command.equalsIgnoreCase("renameCollection") ? lock.writeLock() : lock.readLock();
            held.lock();
            try {
                return super.handleCommand(channel, database, command, query);
            } finally {
                held.unlock();
            }
        }

        void commitForEver() {
            try {
                while (true) {
                    Thread.sleep(100);
                    lock.writeLock().lock();
                    try {
                        commit();
                    } finally {
                        lock.writeLock().unlock();
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        protected MongoDatabase openOrCreateDatabase(String name) {
            return new Database(name, getMvStore(), getCursorRegistry());
        }
    }

    /**
     * A database that still has a renamed collection when it is opened again: H2Database looks for what is to be renamed
     * under the new name.
     */
    private static class Database extends H2Database {
        private final MVStore store;

        Database(String name, MVStore store, CursorRegistry cursors) {
            super(name, store, cursors);
            this.store = store;
        }

        @Override
        public void moveCollection(MongoDatabase from, MongoCollection<?> collection, String newName) {
            String old = collection.getFullName();
            super.moveCollection(from, collection, newName);
            String renamed = collection.getFullName();
            for (String name : List.copyOf(store.getMapNames())) {
                for (String kind : List.of("databases.", "meta.")) {
                    if (name.equals(kind + old)) {
                        move(name, kind + renamed);
                    }
                }
                if (name.startsWith(old + "._index_")) {
                    move(name, renamed + name.substring(old.length()));
                }
            }
        }

        private void move(String from, String to) {
            if (store.hasMap(to)) {
                store.removeMap(to);
            }
            MVMap<?, ?> map = store.openMap(from);
            store.renameMap(map, to);
        }
    }

    public static void main(String[] args) {
        MVStore store = new MVStore.Builder().fileName(args[0]).open();
        store.setAutoCommitDelay(0);
        Backend backend = new Backend(store);
        backend.version(new Version());
        MongoServer server = new MongoServer(backend);
        server.bind("127.0.0.1", Integer.parseInt(args[1]));
        new Thread(backend::commitForEver).start();
        System.out.println("port " + server.getLocalAddress().getPort());
        System.out.flush();
    }
}
