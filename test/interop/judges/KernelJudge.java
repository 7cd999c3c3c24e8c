import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.delta.kernel.Scan;
import io.delta.kernel.Snapshot;
import io.delta.kernel.Table;
import io.delta.kernel.data.ArrayValue;
import io.delta.kernel.data.ColumnVector;
import io.delta.kernel.data.FilteredColumnarBatch;
import io.delta.kernel.data.MapValue;
import io.delta.kernel.data.Row;
import io.delta.kernel.defaults.engine.DefaultEngine;
import io.delta.kernel.engine.Engine;
import io.delta.kernel.engine.FileReadResult;
import io.delta.kernel.internal.InternalScanFileUtils;
import io.delta.kernel.internal.data.ScanStateRow;
import io.delta.kernel.internal.util.Utils;
import io.delta.kernel.types.*;
import io.delta.kernel.utils.CloseableIterator;
import io.delta.kernel.utils.FileStatus;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** The Java kernel of Delta as a judge: requests and answers as in protocol.py of this folder. */
public class KernelJudge {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Engine ENGINE = DefaultEngine.create(new Configuration());

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    say(out, Map.of("ready", true));
    for (String line = in.readLine(); line != null; line = in.readLine()) say(out, answer(line));
  }

  private static void say(PrintStream out, Object what) throws Exception {
    out.println(JSON.writeValueAsString(what));
    out.flush();
  }

  private static Object answer(String line) throws Exception {
    JsonNode request = JSON.readTree(line);
    try {
      Table table = Table.forPath(ENGINE, request.get("path").asText());
      return read(
          request.has("version")
              ? table.getSnapshotAsOfVersion(ENGINE, request.get("version").asLong())
              : table.getLatestSnapshot(ENGINE),
          request.has("notNull") ? request.get("notNull").asText() : null);
    } catch (Throwable error) {
      return Map.of("error", error.toString());
    }
  }

  /** Rows without the column `notNull` are counted only. */
  private static Object read(Snapshot snapshot, String notNull) throws Exception {
    StructType schema = snapshot.getSchema();
    List<Object> rows = new ArrayList<>();
    Scan scan = snapshot.getScanBuilder().build();
    Row state = scan.getScanState(ENGINE);
    StructType physical = ScanStateRow.getPhysicalDataReadSchema(state);
    try (CloseableIterator<FilteredColumnarBatch> batches = scan.getScanFiles(ENGINE)) {
      while (batches.hasNext()) {
        try (CloseableIterator<Row> files = batches.next().getRows()) {
          while (files.hasNext()) readFile(state, files.next(), physical, schema, rows);
        }
      }
    }
    int total = rows.size();
    if (notNull != null) {
      int column = schema.indexOf(notNull);
      rows.removeIf(row -> ((List<?>) row).get(column) == null);
    }
    rows.sort(Comparator.comparing(KernelJudge::text));
    Map<String, Object> reading = new HashMap<>();
    reading.put("schema", fields(schema));
    reading.put("rows", rows);
    reading.put("total", total);
    return reading;
  }

  private static void readFile(
      Row state, Row file, StructType physical, StructType schema, List<Object> rows)
      throws Exception {
    FileStatus status = InternalScanFileUtils.getAddFileStatus(file);
    var data =
        ENGINE
            .getParquetHandler()
            .readParquetFiles(
                Utils.singletonCloseableIterator(status), physical, Optional.empty())
            .map(FileReadResult::getData);
    try (CloseableIterator<FilteredColumnarBatch> batches =
        Scan.transformPhysicalData(ENGINE, state, file, data)) {
      while (batches.hasNext()) {
        FilteredColumnarBatch batch = batches.next();
        Optional<ColumnVector> chosen = batch.getSelectionVector();
        for (int row = 0; row < batch.getData().getSize(); row++) {
          if (chosen.isPresent() && (chosen.get().isNullAt(row) || !chosen.get().getBoolean(row))) {
            continue;
          }
          List<Object> cells = new ArrayList<>();
          for (int column = 0; column < schema.length(); column++) {
            cells.add(
                cell(
                    batch.getData().getColumnVector(column), row, schema.at(column).getDataType()));
          }
          rows.add(cells);
        }
      }
    }
  }

  private static Object cell(ColumnVector vector, int row, DataType type) {
    if (vector.isNullAt(row)) return null;
    if (type instanceof StructType struct) {
      List<Object> cells = new ArrayList<>();
      for (int i = 0; i < struct.length(); i++) {
        cells.add(cell(vector.getChild(i), row, struct.at(i).getDataType()));
      }
      return cells;
    }
    if (type instanceof ArrayType array) {
      ArrayValue value = vector.getArray(row);
      return list(value.getElements(), value.getSize(), array.getElementType());
    }
    if (type instanceof MapType map) {
      MapValue value = vector.getMap(row);
      List<Object> pairs = new ArrayList<>();
      for (int i = 0; i < value.getSize(); i++) {
        List<Object> pair = new ArrayList<>();
        pair.add(cell(value.getKeys(), i, map.getKeyType()));
        pair.add(cell(value.getValues(), i, map.getValueType()));
        pairs.add(pair);
      }
      pairs.sort(Comparator.comparing(KernelJudge::text));
      return pairs;
    }
    if (type instanceof BooleanType) return vector.getBoolean(row);
    if (type instanceof ByteType) return String.valueOf(vector.getByte(row));
    if (type instanceof ShortType) return String.valueOf(vector.getShort(row));
    if (type instanceof IntegerType || type instanceof DateType) {
      return String.valueOf(vector.getInt(row));
    }
    if (type instanceof LongType
        || type instanceof TimestampType
        || type instanceof TimestampNTZType) return String.valueOf(vector.getLong(row));
    if (type instanceof FloatType) {
      float value = vector.getFloat(row);
      return Float.isNaN(value) ? "NaN" : String.format("%08x", Float.floatToRawIntBits(value));
    }
    if (type instanceof DoubleType) {
      double value = vector.getDouble(row);
      return Double.isNaN(value) ? "NaN" : String.format("%016x", Double.doubleToRawLongBits(value));
    }
    if (type instanceof DecimalType decimal) {
      return vector.getDecimal(row).setScale(decimal.getScale()).toPlainString();
    }
    if (type instanceof BinaryType) return HexFormat.of().formatHex(vector.getBinary(row));
    return vector.getString(row);
  }

  private static List<Object> list(ColumnVector items, int size, DataType type) {
    List<Object> cells = new ArrayList<>();
    for (int i = 0; i < size; i++) cells.add(cell(items, i, type));
    return cells;
  }

  private static List<String> fields(StructType struct) {
    List<String> names = new ArrayList<>();
    for (StructField field : struct.fields()) {
      names.add(text(field.getName()) + ":" + name(field.getDataType()) + (field.isNullable() ? "" : "!"));
    }
    return names;
  }

  private static String name(DataType type) {
    if (type instanceof StructType struct) return "struct<" + String.join(",", fields(struct)) + ">";
    if (type instanceof ArrayType array) {
      return "array<" + name(array.getElementType()) + (array.containsNull() ? "" : "!") + ">";
    }
    if (type instanceof MapType map) {
      String value = name(map.getValueType()) + (map.isValueContainsNull() ? "" : "!");
      return "map<" + name(map.getKeyType()) + "," + value + ">";
    }
    if (type instanceof DecimalType decimal) {
      return "decimal(" + decimal.getPrecision() + "," + decimal.getScale() + ")";
    }
    return type.toString();
  }

  private static String text(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }
}
