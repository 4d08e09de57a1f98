// Scores the samples of an exported graph from Java and compares: java OnnxCheck.java LIBRARY GRAPH SAMPLES
//
// onnxruntime is called by its C interface (onnxruntime_c_api.h) through java.lang.foreign, as its own
// Java binding does through JNI, so that no jar is needed: LIBRARY is libonnxruntime.so of any release.

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class OnnxCheck {
  /** Version of the C interface, and the places of its functions in the table, which never move. */
  static final int API_VERSION = 20;
  static final int GET_ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9;
  static final int CREATE_OPTIONS = 10, SET_SEVERITY = 22;
  static final int CREATE_TENSOR = 48, CREATE_TENSOR_WITH_DATA = 49, GET_DATA = 51, FILL_STRINGS = 52;
  static final int CREATE_CPU_MEMORY = 69, GET_ALLOCATOR = 78;
  static final int STRING = 8, INT64 = 7, BOOL = 9, DOUBLE = 11, ERRORS_ONLY = 3;

  static final Linker LINKER = Linker.nativeLinker();
  static final Arena ARENA = Arena.global();
  static MemorySegment table;

  public static void main(String[] arguments) throws Throwable {
    openLibrary(arguments[0]);
    Map<String, Object> told = object(new Json(Files.readString(Path.of(arguments[2]))).value());
    List<Object> samples = list(told.get("samples"));
    Map<String, MemorySegment> inputs = new LinkedHashMap<>();
    for (Object each : list(told.get("inputs"))) addTensors(inputs, object(each), samples);
    Map<String, MemorySegment> found = run(arguments[1], inputs, list(told.get("outputs")));
    System.exit(compare(samples, found) ? 0 : 1);
  }

  /** Compares every score, decision and feature; prints what was found. */
  static boolean compare(List<Object> samples, Map<String, MemorySegment> found) {
    double scores = 0, features = 0;
    List<String> wrong = new ArrayList<>();
    for (int row = 0; row < samples.size(); row++) {
      Map<String, Object> sample = object(samples.get(row));
      double score = found.get("score").getAtIndex(JAVA_DOUBLE, row), want = (Double) sample.get("score");
      scores = Math.max(scores, Math.abs(score - want));
      if (!(Math.abs(score - want) <= 1e-6)) wrong.add("row " + row + ": score " + score + ", not " + want);
      Boolean decision = (Boolean) sample.get("decision");
      if (decision != null && decision != (found.get("decision").get(JAVA_BYTE, row) != 0)) {
        wrong.add("row " + row + ": another decision");
      }
      int place = 0;
      Map<String, Object> wanted = object(sample.get("features"));
      for (Map.Entry<String, Object> each : wanted.entrySet()) {
        double value = found.get("features").getAtIndex(JAVA_DOUBLE, (long) row * wanted.size() + place++);
        if (Double.isNaN(value) != (each.getValue() == null)) {
          wrong.add("row " + row + ": " + each.getKey() + " is " + value + ", not " + each.getValue());
        } else if (each.getValue() != null) {
          double number = (Double) each.getValue();
          features = Math.max(features, Math.abs(value - number) / Math.max(1, Math.abs(number)));
        }
      }
    }
    System.out.println("{\"rows\": " + samples.size() + ", \"largestScoreDifference\": " + scores
        + ", \"largestFeatureDifference\": " + features + ", \"wrong\": " + wrong.size() + "}");
    wrong.forEach(System.err::println);
    return wrong.isEmpty() && features <= 1e-12;
  }

  /** Adds a column's tensor, and that of its nulls where it has one. */
  static void addTensors(Map<String, MemorySegment> inputs, Map<String, Object> input, List<Object> samples)
      throws Throwable {
    String name = (String) input.get("name"), kind = (String) input.get("tensor");
    int count = samples.size();
    List<Object> values = new ArrayList<>();
    for (Object each : samples) values.add(object(object(each).get("inputs")).get(name));
    MemorySegment nulls = ARENA.allocate(count);
    for (int row = 0; row < count; row++) nulls.set(JAVA_BYTE, row, (byte) (values.get(row) == null ? 1 : 0));
    if (!kind.equals("float64")) inputs.put((String) input.get("null"), tensor(nulls, count, BOOL));
    if (kind.equals("string")) {
      inputs.put(name, texts(values));
      return;
    }
    int size = kind.equals("bool") ? 1 : 8;
    MemorySegment data = ARENA.allocate((long) count * size, size);
    for (int row = 0; row < count; row++) {
      Object value = values.get(row);
      switch (kind) {
        case "float64" -> data.setAtIndex(JAVA_DOUBLE, row, value == null ? Double.NaN : (Double) value);
        case "int64" -> data.setAtIndex(JAVA_LONG, row, value == null ? 0 : Long.parseLong((String) value));
        default -> data.set(JAVA_BYTE, row, (byte) (Boolean.TRUE.equals(value) ? 1 : 0));
      }
    }
    inputs.put(name, tensor(data, count, Map.of("float64", DOUBLE, "int64", INT64, "bool", BOOL).get(kind)));
  }

  static MemorySegment tensor(MemorySegment data, int count, int type) throws Throwable {
    MemorySegment memory = made(CREATE_CPU_MEMORY, 0, 0);
    return made(CREATE_TENSOR_WITH_DATA, memory, data, data.byteSize(), shape(count), 2L, type);
  }

  static MemorySegment texts(List<Object> values) throws Throwable {
    MemorySegment tensor = made(CREATE_TENSOR, made(GET_ALLOCATOR), shape(values.size()), 2L, STRING);
    MemorySegment texts = ARENA.allocate(ADDRESS, values.size());
    for (int row = 0; row < values.size(); row++) {
      Object value = values.get(row);
      texts.setAtIndex(ADDRESS, row, ARENA.allocateFrom(value == null ? "" : (String) value));
    }
    call(FILL_STRINGS, tensor, texts, (long) values.size());
    return tensor;
  }

  static MemorySegment shape(int count) {
    return ARENA.allocateFrom(JAVA_LONG, count, 1);
  }

  /** Runs the graph; returns the data of each output by its role. */
  static Map<String, MemorySegment> run(String graph, Map<String, MemorySegment> inputs, List<Object> outputs)
      throws Throwable {
    MemorySegment environment = made(CREATE_ENV, ERRORS_ONLY, ARENA.allocateFrom("check"));
    MemorySegment options = made(CREATE_OPTIONS);
    call(SET_SEVERITY, options, ERRORS_ONLY);
    MemorySegment session = made(CREATE_SESSION, environment, ARENA.allocateFrom(graph), options);
    List<String> names = outputs.stream().map(each -> (String) object(each).get("name")).toList();
    MemorySegment answers = ARENA.allocate(ADDRESS, names.size());
    call(RUN, session, MemorySegment.NULL, texts(inputs.keySet()), pointers(inputs.values()), (long) inputs.size(),
        texts(names), (long) names.size(), answers);
    Map<String, MemorySegment> found = new LinkedHashMap<>();
    for (int place = 0; place < names.size(); place++) {
      MemorySegment data = made(GET_DATA, answers.getAtIndex(ADDRESS, place));
      found.put((String) object(outputs.get(place)).get("role"), data.reinterpret(Long.MAX_VALUE));
    }
    return found;
  }

  static MemorySegment texts(Iterable<String> names) {
    List<MemorySegment> made = new ArrayList<>();
    for (String each : names) made.add(ARENA.allocateFrom(each));
    return pointers(made);
  }

  static MemorySegment pointers(Iterable<MemorySegment> each) {
    List<MemorySegment> all = new ArrayList<>();
    each.forEach(all::add);
    MemorySegment found = ARENA.allocate(ADDRESS, all.size());
    for (int place = 0; place < all.size(); place++) found.setAtIndex(ADDRESS, place, all.get(place));
    return found;
  }

  static void openLibrary(String path) throws Throwable {
    MemorySegment entry = SymbolLookup.libraryLookup(Path.of(path), ARENA).find("OrtGetApiBase").orElseThrow();
    MemorySegment base = (MemorySegment) LINKER.downcallHandle(entry, FunctionDescriptor.of(ADDRESS)).invoke();
    MemorySegment getApi = base.reinterpret(8).get(ADDRESS, 0);
    FunctionDescriptor shape = FunctionDescriptor.of(ADDRESS, JAVA_INT);
    MemorySegment api = (MemorySegment) LINKER.downcallHandle(getApi, shape).invoke(API_VERSION);
    table = api.reinterpret(8L * (GET_ALLOCATOR + 1));
  }

  /** Calls a function whose last argument is where it puts what it makes; returns that. */
  static MemorySegment made(int place, Object... arguments) throws Throwable {
    MemorySegment out = ARENA.allocate(ADDRESS);
    Object[] all = java.util.Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = out;
    call(place, all);
    return out.get(ADDRESS, 0);
  }

  /** Calls a function of the table; throws what its status says. */
  static void call(int place, Object... arguments) throws Throwable {
    MemoryLayout[] types = new MemoryLayout[arguments.length];
    for (int at = 0; at < types.length; at++) {
      types[at] = arguments[at] instanceof Integer ? JAVA_INT : arguments[at] instanceof Long ? JAVA_LONG : ADDRESS;
    }
    MemorySegment function = table.getAtIndex(ADDRESS, place);
    FunctionDescriptor shape = FunctionDescriptor.of(ADDRESS, types);
    MemorySegment status = (MemorySegment) LINKER.downcallHandle(function, shape).invokeWithArguments(arguments);
    if (status.address() == 0) return;
    FunctionDescriptor say = FunctionDescriptor.of(ADDRESS, ADDRESS);
    MemorySegment said = (MemorySegment) LINKER
        .downcallHandle(table.getAtIndex(ADDRESS, GET_ERROR_MESSAGE), say).invoke(status);
    throw new IllegalStateException(said.reinterpret(Long.MAX_VALUE).getString(0));
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }

  @SuppressWarnings("unchecked")
  static List<Object> list(Object value) {
    return (List<Object>) value;
  }

  /** Reads JSON: objects, lists, texts, numbers as doubles, true, false and null. */
  static class Json {
    final String text;
    int at = 0;

    Json(String text) {
      this.text = text;
    }

    Object value() {
      char next = peek();
      if (next == '{') return object();
      if (next == '[') return list();
      if (next == '"') return string();
      for (String word : List.of("null", "true", "false")) {
        if (text.startsWith(word, at)) {
          at += word.length();
          return word.equals("null") ? null : (Object) word.equals("true");
        }
      }
      int start = at;
      while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
      return Double.parseDouble(text.substring(start, at));
    }

    Map<String, Object> object() {
      Map<String, Object> found = new LinkedHashMap<>();
      at++;
      while (peek() != '}') {
        if (peek() == ',') at++;
        peek();
        String key = string();
        peek();
        at++;
        found.put(key, value());
      }
      at++;
      return found;
    }

    List<Object> list() {
      List<Object> found = new ArrayList<>();
      at++;
      while (peek() != ']') {
        if (peek() == ',') at++;
        else found.add(value());
      }
      at++;
      return found;
    }

    String string() {
      StringBuilder found = new StringBuilder();
      for (at++; text.charAt(at) != '"'; at++) {
        char each = text.charAt(at);
        if (each != '\\') {
          found.append(each);
          continue;
        }
        char escaped = text.charAt(++at);
        if (escaped == 'u') {
          found.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
          at += 4;
        } else {
          int place = "nrtbf".indexOf(escaped);
          found.append(place < 0 ? escaped : "\n\r\t\b\f".charAt(place));
        }
      }
      at++;
      return found.toString();
    }

    char peek() {
      while (Character.isWhitespace(text.charAt(at))) at++;
      return text.charAt(at);
    }
  }
}
