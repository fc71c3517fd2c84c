using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Upstream;

/// <summary>
/// A reverse proxy in front of a registry: the upstream that a test shows to Entrepot. It records every request, shapes rate and
/// latency, and plays faults. Only GET and HEAD are passed on. Safe to use from several threads.
/// </summary>
public sealed class UpstreamFront : IAsyncDisposable
{
    private readonly FaultList _faults = new();
    private readonly Exchange _exchange;
    private readonly Func<HttpContext, Task<GateAnswer>>? _gate;
    private readonly LoopbackServer _server;

    private UpstreamFront(Uri backend, Func<HttpContext, Task<GateAnswer>>? gate)
    {
        _gate = gate;
        _exchange = new Exchange(backend, _faults, this);
        _server = new LoopbackServer(HandleAsync);
    }

    /// <summary>The port it listens on, the same after it was down.</summary>
    public int Port => _server.Port;

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url => _server.Url;

    /// <summary>Every request that came.</summary>
    public RequestLog Log { get; } = new();

    /// <summary>Most bytes a second in one answer; null is as fast as can be. Taken by answers that begin later.</summary>
    public long? BytesPerSecond { get; set; }

    /// <summary>Time between a request and its answer.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Starts a front of a registry.</summary>
    public static Task<UpstreamFront> StartNewAsync(Uri backend, CancellationToken cancellationToken = default) => StartNewAsync(backend, gate: null, cancellationToken);

    /// <summary>Plays a fault on requests whose path contains <paramref name="pathContains"/>.</summary>
    /// <param name="fault">What goes wrong. The first injected fault that applies to a request is played, one a request.</param>
    /// <param name="pathContains">For example <c>/blobs/</c> or a digest; "" is every request.</param>
    /// <param name="count">How often; by default until it is healed.</param>
    public InjectedFault Inject(Fault fault, string pathContains = "", int count = int.MaxValue) => _faults.Add(fault, pathContains, count);

    /// <summary>Ends all faults, see <see cref="InjectedFault.Heal"/>.</summary>
    public void HealAll() => _faults.HealAll();

    /// <summary>The requests that <paramref name="match"/> picks.</summary>
    public IReadOnlyList<RecordedRequest> Requests(Func<RecordedRequest, bool> match) => [.. Log.All.Where(match)];

    /// <summary>Goes down: running answers are cut and connections refused when this returns. Does nothing when it is down.</summary>
    public Task StopAsync() => _server.StopAsync();

    /// <summary>Comes back on the same port. Does nothing when it is up.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => _server.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        HealAll();
        await _server.DisposeAsync();
        _exchange.Dispose();
    }

    internal static async Task<UpstreamFront> StartNewAsync(Uri backend, Func<HttpContext, Task<GateAnswer>>? gate, CancellationToken cancellationToken)
    {
        var front = new UpstreamFront(backend, gate);
        await front.StartAsync(cancellationToken);
        return front;
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var range = request.Headers.Range.ToString();
        var record = new RecordedRequest(
            request.Method, request.Path.Value ?? "", request.QueryString.Value ?? "", range.Length == 0 ? null : range, request.Headers.ContainsKey("Authorization"), request.Headers.UserAgent);
        Log.Add(record);
        try
        {
            if (Latency > TimeSpan.Zero) await Task.Delay(Latency, context.RequestAborted);
            if (await Exchange.PlayInsteadOfAnswerAsync(_faults, context, record)) return;
            var path = request.Path.Value ?? "";
            if (_gate is not null)
            {
                var gate = await _gate(context);
                if (gate.Answered)
                {
                    record.Status = context.Response.StatusCode;
                    record.Completed = true;
                    return;
                }

                path = gate.BackendPath ?? path;
            }

            await _exchange.ForwardAsync(context, record, path);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The peer has gone; the record says that the answer was cut.
        }
        finally
        {
            record.FinishedAt = TestClock.Now;
        }
    }
}
