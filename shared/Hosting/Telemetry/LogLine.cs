using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Entrepot.Hosting.Telemetry;

/// <summary>
/// One readable line for each entry: time (UTC), level, category, message. What came from outside cannot forge a second line or
/// steer a terminal: control characters are escaped. A stack trace follows on indented lines.
/// </summary>
internal sealed class LogLine(TimeProvider time, bool colours) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "entrepot-line";

    private const string Plain = "\u001b[0m";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture));
        var (word, colour) = Level(logEntry.LogLevel);
        textWriter.Write(colours ? $"{colour}{word}{Plain}" : word);
        textWriter.Write(' ');
        textWriter.Write(logEntry.Category.AsSpan(logEntry.Category.LastIndexOf('.') + 1));
        textWriter.Write(": ");
        textWriter.Write(Escaped(message));
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(" | ");
            textWriter.Write(Escaped($"{exception.GetType().FullName}: {exception.Message}"));
            if (logEntry.LogLevel >= LogLevel.Error)
            {
                foreach (var line in exception.ToString().Split('\n'))
                {
                    textWriter.Write("\n    ");
                    textWriter.Write(Escaped(line.TrimEnd('\r')));
                }
            }
        }

        textWriter.Write('\n');
    }

    internal static string Escaped(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\n' => escaped.Append("\\n"),
                '\r' => escaped.Append("\\r"),
                '\t' => escaped.Append(' '),
                _ when char.IsControl(c) => escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    private static (string Word, string Colour) Level(LogLevel level) => level switch
    {
        LogLevel.Trace => ("trace", "\u001b[90m"),
        LogLevel.Debug => ("debug", "\u001b[90m"),
        LogLevel.Information => ("info ", "\u001b[32m"),
        LogLevel.Warning => ("warn ", "\u001b[33m"),
        LogLevel.Error => ("error", "\u001b[31m"),
        _ => ("fatal", "\u001b[1;31m"),
    };
}
