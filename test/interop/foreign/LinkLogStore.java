package claims;

import io.delta.storage.LogStore;
import io.delta.storage.CloseableIterator;
import java.io.BufferedReader;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * A log store of Spark for a local disk that other processes write to as well: a commit is written to a
 * temporary file and then linked under its name, which fails if the name is there. Spark's own stores for
 * local disks let two writers win one version.
 */
public class LinkLogStore extends LogStore {
  public LinkLogStore(Configuration configuration) {
    super(configuration);
  }

  @Override
  public CloseableIterator<String> read(Path path, Configuration configuration) throws IOException {
    BufferedReader reader = Files.newBufferedReader(local(path), StandardCharsets.UTF_8);
    Iterator<String> lines = reader.lines().iterator();
    return new CloseableIterator<String>() {
      @Override
      public boolean hasNext() {
        return lines.hasNext();
      }

      @Override
      public String next() {
        return lines.next();
      }

      @Override
      public void close() throws IOException {
        reader.close();
      }
    };
  }

  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
      throws IOException {
    java.nio.file.Path target = local(path);
    java.nio.file.Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      try (FileOutputStream out = new FileOutputStream(temporary.toFile())) {
        while (actions.hasNext()) {
          out.write((actions.next() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        out.getFD().sync();
      }
      if (overwrite) {
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.createLink(target, temporary);
      }
    } catch (FileAlreadyExistsException error) {
      throw new FileAlreadyExistsException(path.toString());
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  @Override
  public Iterator<FileStatus> listFrom(Path path, Configuration configuration) throws IOException {
    List<FileStatus> found = new ArrayList<>();
    try {
      for (FileStatus status : path.getFileSystem(configuration).listStatus(path.getParent())) {
        if (status.getPath().getName().compareTo(path.getName()) >= 0) found.add(status);
      }
    } catch (NoSuchFileException error) {
      throw new java.io.FileNotFoundException(path.getParent().toString());
    }
    found.sort((a, b) -> a.getPath().getName().compareTo(b.getPath().getName()));
    return found.iterator();
  }

  @Override
  public Path resolvePathOnPhysicalStorage(Path path, Configuration configuration) {
    return path;
  }

  @Override
  public Boolean isPartialWriteVisible(Path path, Configuration configuration) {
    return false;
  }

  private static java.nio.file.Path local(Path path) {
    return java.nio.file.Path.of(path.toUri().getPath());
  }
}
