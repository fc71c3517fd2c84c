using System.Buffers;
using System.Text.Json;

namespace Entrepot.Hosting.Health;

/// <summary>The answer of <c>/readyz</c>, at most a second old. Thread-safe; checks run once for all who ask at the same time.</summary>
internal sealed partial class Readiness(IEnumerable<IReadinessPart> parts, Draining draining, TimeProvider time, ILogger<Readiness> logger) : IDisposable
{
    private static readonly TimeSpan CheckLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(1);

    private readonly PartCheck[] _checks = [.. parts.Select(p => new PartCheck(p))];
    private readonly SemaphoreSlim _one = new(1, 1);
    private Results? _last;

    /// <summary>Whether the process can do its job, and the JSON that says how each part fares.</summary>
    public async ValueTask<(bool Ready, ReadOnlyMemory<byte> Json)> AskAsync(CancellationToken cancellationToken)
    {
        var last = _last;
        if (last is null || time.GetElapsedTime(last.At) >= KeepFor)
        {
            await _one.WaitAsync(cancellationToken);
            try
            {
                last = _last;
                if (last is null || time.GetElapsedTime(last.At) >= KeepFor)
                    _last = last = new(await Task.WhenAll(_checks.Select(c => c.RunAsync(time, logger))), time.GetTimestamp());
            }
            finally
            {
                _one.Release();
            }
        }

        // Draining is not cached: the first answer after the signal tells it.
        var ready = !draining.HasBegun && !_checks.Zip(last.Parts).Any(c => c.First.Part.Required && c.Second.State == PartState.Down);
        return (ready, Write(ready, last.Parts));
    }

    public void Dispose() => _one.Dispose();

    private ReadOnlyMemory<byte> Write(bool ready, PartHealth[] results)
    {
        var status = draining.HasBegun ? "draining" : !ready ? "down" : results.Any(r => r.State != PartState.Ok) ? "degraded" : "ok";
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("status"u8, status);
            json.WriteStartObject("parts"u8);
            foreach (var (check, health) in _checks.Zip(results))
            {
                json.WriteStartObject(check.Part.Name);
                json.WriteString("status"u8, Name(health.State));
                json.WriteBoolean("required"u8, check.Part.Required);
                if (health.Detail is not null)
                    json.WriteString("detail"u8, health.Detail);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static string Name(PartState state) => state switch
    {
        PartState.Ok => "ok",
        PartState.Degraded => "degraded",
        _ => "down",
    };

    [LoggerMessage(9010, LogLevel.Information, "Part {Part} is {State}: {Detail}")]
    private static partial void PartChanged(ILogger logger, string part, PartState state, string? detail);

    [LoggerMessage(9011, LogLevel.Warning, "Part {Part} is {State}: {Detail}")]
    private static partial void PartWorse(ILogger logger, Exception? exception, string part, PartState state, string? detail);

    private sealed record Results(PartHealth[] Parts, long At);

    private sealed class PartCheck(IReadinessPart part)
    {
        private Task<PartHealth>? _running;
        private PartState _state = PartState.Ok;

        public IReadinessPart Part { get; } = part;

        public async Task<PartHealth> RunAsync(TimeProvider time, ILogger logger)
        {
            PartHealth health;
            Exception? failure = null;
            try
            {
                // A check that hangs stays the only one; that it may block a thread is why it runs on its own.
                using var limit = new CancellationTokenSource(CheckLimit, time);
                if (_running is null or { IsCompleted: true })
                    _running = Task.Run(() => Part.CheckAsync(limit.Token).AsTask(), CancellationToken.None);
                health = await _running.WaitAsync(CheckLimit, time);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                health = PartHealth.Down("no answer within 1 s");
            }
            catch (Exception e)
            {
                failure = e;
                health = PartHealth.Down("the check failed; the log tells why");
            }

            if (health.State != _state && health.State == PartState.Ok)
                PartChanged(logger, Part.Name, health.State, health.Detail);
            else if (health.State != _state)
                PartWorse(logger, failure, Part.Name, health.State, health.Detail);
            _state = health.State;
            return health;
        }
    }
}
