using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;

namespace Entrepot.Hosting.Serving;

/// <summary>The application as Kestrel sees it, with an <see cref="IShortcut"/> before it when there is one.</summary>
internal sealed class ShortcutApplication<TContext>(IHttpApplication<TContext> application, IShortcut? shortcut) : IHttpApplication<ShortcutApplication<TContext>.Request>
    where TContext : notnull
{
    private const uint MostInARow = 64;

    public Request CreateContext(IFeatureCollection contextFeatures)
    {
        // One for the whole connection, as the framework does it with its own.
        var kept = contextFeatures as IHostContextContainer<Request>;
        var request = kept?.HostContext ?? new Request();
        if (kept is not null) kept.HostContext = request;
        request.Features = contextFeatures;
        return request;
    }

    public Task ProcessRequestAsync(Request context)
    {
        // A client that sends its requests ahead of the answers must not keep the thread from the others.
        var mayStay = ++context.Requests % MostInARow != 0;
        return mayStay && shortcut?.AnswerOrNull(context.Features!) is { } answering ? answering : ProcessInPoolAsync(context);
    }

    /// <summary>This may be the thread that polls the sockets: what may take its time leaves it.</summary>
    private async Task ProcessInPoolAsync(Request context)
    {
        await Task.Yield();
        if (context.Requests % MostInARow == 0 && shortcut?.AnswerOrNull(context.Features!) is { } answering)
        {
            await answering;
            return;
        }
        context.Inner = application.CreateContext(context.Features!);
        context.HasInner = true;
        await application.ProcessRequestAsync(context.Inner);
    }

    public void DisposeContext(Request context, Exception? exception)
    {
        if (context.HasInner) application.DisposeContext(context.Inner!, exception);
        (context.Inner, context.HasInner, context.Features) = (default, false, null);
    }

    internal sealed class Request
    {
        public IFeatureCollection? Features { get; set; }

        public TContext? Inner { get; set; }

        public bool HasInner { get; set; }

        /// <summary>How many came over the connection.</summary>
        public uint Requests { get; set; }
    }
}
